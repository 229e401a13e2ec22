/**
 * Second half of the baseline "trajectory matching on the self-supervised loss" (MTT without distilling knowledge first): pixels
 * and the inner step α are moved so that N self-supervised steps on the synthetic images follow the experts of that loss. The
 * hypergradient goes through both views of every step, exactly; their random numbers are inputs of each step.
 */

import { z } from 'zod';
import type { Numbers } from '../../autograd/compile/bufferRange.js';
import { f32 } from '../../autograd/tape.js';
import type { InnerProblem } from '../../autograd/unroll/problem.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import { integers, type StreamKey } from '../../kernels/philox.js';
import type { AugmentedImages } from '../../nn/augmentation.js';
import type { Model } from '../../nn/model.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { drawPairs, type PairSettings, pairLoss, pairTypes } from '../../nn/viewPairs.js';
import { stateOf, tensorOf } from '../checkpoints.js';
import type { Config } from '../config/schema.js';
import { files, floatTensor, readTensors, type StageContext, studentModel, writeTensors } from './context.js';
import { batchesFrom, wholeBatches } from './draws.js';
import { lower, requireFinite, requireFiniteTensors } from './finite.js';
import { HostDescent } from './hostDescent.js';
import { keepPositive } from './outerOptimiser.js';
import { readAhead } from './readAhead.js';
import { Trajectories } from './trajectories.js';

/** What a student learns by from `count` images, `batch` of them a step: the loss of pairs, whose numbers are inputs. */
export function selfSupervisedProblem(
  model: Model,
  settings: PairSettings,
  count: number,
  batch: number,
): InnerProblem {
  return {
    parameters: withProjector(model, settings).total,
    tables: { images: f32(count, ...model.image) },
    hyperparameters: pairTypes(settings, model.image, batch),
    loss: (theta, { images }, { hyperparameters }) =>
      pairLoss(model, settings, theta, images!, hyperparameters),
  };
}

/** The pairs of N steps, one table [N, …] an input of the problem. The key's index is the first step's. */
export function drawSteps(
  key: StreamKey,
  steps: number,
  batch: number,
  images: AugmentedImages,
  settings: PairSettings,
): Record<string, Numbers> {
  const drawn = Array.from({ length: steps }, (_, step) =>
    drawPairs({ ...key, index: key.index + step }, batch, images, settings),
  );
  const joined = (name: string): Numbers => {
    const parts = drawn.map((each) => each[name]!);
    const each = parts[0]!.length;
    const table =
      parts[0] instanceof Int32Array ? new Int32Array(steps * each) : new Float32Array(steps * each);
    parts.forEach((part, step) => {
      table.set(part, step * each);
    });
    return table;
  };
  return Object.fromEntries(Object.keys(drawn[0]!).map((name) => [name, joined(name)]));
}

/** The batches of one unroll: permutations used up without replacement, a short rest of each left out. */
export function drawWholeBatches(
  seed: number,
  iteration: number,
  count: number,
  batch: number,
  steps: number,
): Int32Array[] {
  const stream = { seed, purpose: 'selfSupervised.batches', iteration };
  return batchesFrom(stream, count, steps, (order) => wholeBatches(order, batch));
}

/** Where an iteration's steps start, and where an expert was some epochs later: θ [parameters] each. */
async function drawEnds(
  { seed, selfSupervised: { experts, startEpochs, expertEpochs } }: Config,
  trajectories: Trajectories,
  iteration: number,
): Promise<{ readonly from: Float32Array; readonly to: Float32Array }> {
  const draw = (what: string, bound: number): number =>
    integers({ seed, purpose: `selfSupervised.${what}`, index: iteration }, 1, bound)[0]!;
  const expert = draw('expert', experts.count);
  const startEpoch = draw('startEpoch', startEpochs);
  const [from, to] = await Promise.all([
    trajectories.checkpoint(expert, startEpoch),
    trajectories.checkpoint(expert, startEpoch + expertEpochs),
  ]);
  return { from, to };
}

/** α and its velocity, beside those of the images. */
const descentSchema = z.object({ innerStep: z.number().positive(), velocity: z.number() });

/** Writes the images and α. They start at the same images as those of MKDT. */
export async function distilSelfSupervised(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const { seed, selfSupervised: settings, teacher } = config;
  const model = studentModel(context);
  const indices = (await readTensors(folder, files.subset))('indices').data;
  const count = indices.length;
  const start = await dataset.train.rows(indices);
  const trajectories = new Trajectories(context, 'selfSupervisedExperts');
  const unroll = await Unroll.create({
    device,
    problem: selfSupervisedProblem(model, teacher, count, settings.batch),
    optimiser: sgd(),
    steps: settings.steps,
    batchSizes: [settings.batch],
    wrt: ['images', 'learningRate'],
    perStep: Object.keys(pairTypes(teacher, model.image, settings.batch)),
  });
  try {
    const images = new HostDescent(start, config.distil.momentum, settings.pixels.learningRate);
    let innerStep = Math.fround(settings.innerStep.initial);
    let velocity = 0;
    const remedy = lower(
      config,
      'selfSupervised.pixels.learningRate',
      'selfSupervised.innerStep.learningRate',
      'selfSupervised.innerStep.initial',
    );
    const resumed = context.checkpoints?.resumed ?? null;
    if (resumed !== null) {
      images.restore(tensorOf(resumed, 'images', start.length), tensorOf(resumed, 'velocity', start.length));
      ({ innerStep, velocity } = stateOf(resumed, descentSchema));
    }
    const first = resumed?.done ?? 0;
    let iteration = first;
    // Draws are known ahead: an iteration's checkpoints are read while the one before it computes.
    const draw = (ahead: number) => drawEnds(config, trajectories, first + ahead);
    for await (const { from, to } of readAhead(settings.iterations - first, draw)) {
      const key = { seed, purpose: 'selfSupervised.distil', index: iteration * settings.steps };
      const pairs = drawSteps(key, settings.steps, settings.batch, dataset, teacher);
      unroll.write('images', images.value);
      unroll.write('learningRate', Float32Array.of(innerStep));
      for (const [name, numbers] of Object.entries(pairs)) unroll.write(name, numbers);
      unroll.submit({
        start: from,
        outer: { start: from, target: to },
        batches: drawWholeBatches(seed, iteration, count, settings.batch, settings.steps),
      });
      const [loss, byImages, slope] = await Promise.all([
        unroll.loss(),
        unroll.gradient('images'),
        unroll.gradient('learningRate'),
      ]);
      const at = `of the stage selfSupervised at iteration ${iteration}`;
      requireFinite(loss, `the trajectory loss ${at}`, remedy);
      requireFinite(slope[0]!, `the gradient by the inner step α ${at}`, remedy);
      events.append({ stage: 'selfSupervised', iteration, loss, innerStep });
      iteration++;
      context.advance(iteration, loss);
      images.step(byImages);
      velocity = config.distil.momentum * velocity + slope[0]!;
      innerStep = Math.fround(
        keepPositive(innerStep, innerStep - settings.innerStep.learningRate * velocity),
      );
      requireFinite(innerStep, `the inner step α after its update ${at}`, remedy);
      requireFiniteTensors([['images', floatTensor(images.value)]], `the set after its update ${at}`, remedy);
      await context.checkpoints?.reached(iteration, async () => ({
        tensors: new Map([
          ['images', floatTensor(images.value, start.length)],
          ['velocity', floatTensor(images.velocity, start.length)],
        ]),
        state: { innerStep, velocity },
      }));
    }
    await writeTensors(folder, files.selfSupervisedSynthetic, [
      ['images', floatTensor(images.value, count, ...dataset.image)],
      ['innerStep', floatTensor(Float32Array.of(innerStep), 1)],
      ['start.images', floatTensor(start, count, ...dataset.image)],
    ]);
  } finally {
    unroll.release();
  }
  return [files.selfSupervisedSynthetic];
}
