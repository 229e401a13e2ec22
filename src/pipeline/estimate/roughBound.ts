/**
 * A bound on a run's device memory that takes no time: far above what the stages hold, from the sizes of models and batches
 * alone. Where even this fits, nothing has to be counted.
 */
import { BYTES } from '../../autograd/compile/bufferRange.js';
import { sizeOf } from '../../autograd/tape.js';
import { ENCODED_AT_ONCE } from '../../nn/deviceImages.js';
import type { Model } from '../../nn/model.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { studentModel, teacherNetwork } from '../stages/context.js';
import { type DataSizes, evaluatedStudents } from './work.js';

/** Tensors as large as all of a model's activations that one step holds at a time, at most: its values, its way back's, scratch. */
const ACTIVATIONS_HELD = 24;
/** Tensors as large as θ that one step holds at a time, at most; the gradients of convolutions are summed in parts. */
const PARAMETERS_HELD = 24;

interface Sizes {
  readonly depth: number;
  readonly width: number;
  readonly architecture: 'convNet' | 'resNet18' | 'mlp';
}

/** Elements of all layers' outputs for one image, counting a layer as large as it is anywhere in it. */
function activationsOf([channels, height, width]: Model['image'], model: Sizes): number {
  const area = height * width;
  if (model.architecture === 'mlp') return channels * area + model.depth * model.width;
  const isResNet = model.architecture === 'resNet18';
  const [blocks, layers, growth] = isResNet ? [4, 5, 2] : [model.depth, 1, 1];
  let elements = channels * area;
  for (let block = 0; block < blocks; block++) {
    elements += layers * model.width * growth ** block * Math.ceil(area / 4 ** block);
  }
  return elements;
}

/** Bytes that one step on so many images holds, beside data and path. */
const stepBytes = (images: number, activations: number, parameters: number): number =>
  BYTES * (ACTIVATIONS_HELD * images * activations + PARAMETERS_HELD * parameters);

/** Bytes of device memory that the run surely does not exceed, what earlier stages leave in the pool included. */
export function roughBound(config: Config, data: DataSizes): number {
  const { teacher, experts, distil, evaluate, selfSupervised, subset } = config;
  const { image, train, test } = data;
  const source = { config, dataset: data };
  const pixels = sizeOf(image);
  const representation = teacher.representation;
  const [encoder, student] = [teacherNetwork(source), studentModel(source)];
  const own = activationsOf(image, { architecture: 'convNet', ...config.student });
  const parameters = withProjector(student, teacher).total;
  const step = (batch: number, activations = own, theta = parameters): number =>
    stepBytes(batch + ENCODED_AT_ONCE, activations, theta);

  const tables = 3 * BYTES * (train.count + test.count) * (pixels + representation);
  const count = subsetSize(subset.fraction, train.count);
  const sets = 12 * BYTES * count * (pixels + representation);
  const kept = distil.memory === 'recompute' ? 1 : 1 + distil.steps;
  const path = BYTES * parameters * (distil.steps + selfSupervised.steps + 8);
  const views = 2 * Math.min(teacher.batch, train.count);
  const projected = BYTES * ACTIVATIONS_HELD * (views + teacher.projector) * teacher.projector;
  const evaluated = evaluatedStudents(config, image).map(({ model }, k) => {
    const sizes = k === 0 ? null : evaluate.transfer[k - 1]!;
    const activations =
      sizes === null ? own : activationsOf(image, { depth: 0, ...sizes, architecture: sizes.architecture });
    return step(evaluate.batch + evaluate.allData.batch, activations, withProjector(model, teacher).total);
  });
  return [
    tables,
    sets,
    path,
    projected,
    step(views, activationsOf(image, { ...teacher }), withProjector(encoder, teacher).total),
    step(experts.batch),
    kept * step(distil.batch),
    step(2 * selfSupervised.experts.batch),
    step(2 * selfSupervised.batch),
    ...evaluated,
  ].reduce((total, bytes) => total + bytes, 0);
}
