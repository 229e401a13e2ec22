/**
 * A network that normalises over the batch as a student: with a linear head to a representation, and with its running
 * statistics at the end of θ, so that one vector is all of its state. Its forward pass is the evaluation mode.
 */
import { linear } from '../autograd/ops/matmul.js';
import { segment } from '../autograd/ops/pack.js';
import type { Tensor } from '../autograd/trace.js';
import type { Model, ModelOutput, ModelWithBuffers } from './model.js';
import { layOut, unpack } from './parameters.js';

/** A student whose θ ends in running statistics. */
export interface NormalisedStudent extends Model {
  /** Elements of θ that are learnt; the running statistics follow them. */
  readonly learnt: number;
  /** Evaluation mode: the running statistics that θ ends in. */
  forward(theta: Tensor, images: Tensor): ModelOutput;
  /** Training mode: the batch's own statistics, and the running ones [parameters.total − learnt] moved on by them. */
  train(theta: Tensor, images: Tensor): ModelOutput & { readonly statistics: Tensor };
}

/** `body` with a head in front of which its features lie, and its running statistics in θ. */
export function normalisedStudent(body: ModelWithBuffers, output: number): NormalisedStudent {
  const fanIn = body.featureCount;
  const learntEntries = [
    ...body.parameters.entries,
    { name: 'head.weight', shape: [output, fanIn], fanIn, start: 'uniform' as const },
    { name: 'head.bias', shape: [output], fanIn, start: 'uniform' as const },
  ];
  const learnt = layOut(learntEntries).total;
  const parameters = layOut([...learntEntries, ...body.buffers.entries]);

  const running = (theta: Tensor): Tensor => segment(theta, learnt, [body.buffers.total]);
  const withHead = (theta: Tensor, features: Tensor): ModelOutput => {
    const p = unpack(parameters, theta);
    return { features, output: linear(features, p['head.weight']!, p['head.bias']!) };
  };

  return {
    parameters,
    learnt,
    image: body.image,
    featureCount: fanIn,
    outputCount: output,
    forward: (theta, images) => withHead(theta, body.evaluate(theta, running(theta), images).features),
    train(theta, images) {
      const { features, buffers } = body.train(theta, running(theta), images);
      return { ...withHead(theta, features), statistics: buffers };
    },
  };
}
