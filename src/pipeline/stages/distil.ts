/**
 * Stage 5: distillation. Every iteration draws an expert and a start epoch, trains a student from there for N steps on
 * the synthetic set, and moves pixels, targets and the inner step α down the gradient of the trajectory loss (MKDT
 * eq. 4), taken through all N steps.
 */
import type { BufferRange } from '../../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../../autograd/compile/plan.js';
import { add, mul, scale, sub } from '../../autograd/ops/elementwise.js';
import { f32 } from '../../autograd/tape.js';
import { trace } from '../../autograd/trace.js';
import type { InnerProblem } from '../../autograd/unroll/problem.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import type { Device } from '../../gpu/device.js';
import { integers, permutation } from '../../kernels/philox.js';
import { mse } from '../../nn/losses.js';
import type { Model } from '../../nn/model.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { batchSizesOf, splitBatches } from '../../nn/training.js';
import type { Dataset } from '../data/dataset.js';
import { contactSheet } from '../report/contactSheet.js';
import { encodePng } from '../store/png.js';
import {
  files,
  floatTensor,
  readFloats,
  readTensors,
  type StageContext,
  studentModel,
  takeRows,
  writeTensors,
} from './context.js';
import { readExperts } from './experts.js';
import { requireFinite } from './finite.js';

/** Enlargement of a small image in images.png: the picture's cells are about this many pixels wide. */
const CELL = 56;

/** The batches of one unroll: permutations used up without replacement, a short last chunk included. */
export function drawBatches(
  seed: number,
  iteration: number,
  count: number,
  batch: number,
  steps: number,
): Int32Array[] {
  const batches: Int32Array[] = [];
  // Every permutation has a stream of its own; no unroll needs more of them than steps.
  for (let round = 0; batches.length < steps; round++) {
    const index = iteration * steps + round;
    batches.push(...splitBatches(permutation({ seed, purpose: 'distil.batches', index }, count), batch));
  }
  return batches.slice(0, steps);
}

/** The expert and the start epoch of one iteration: each drawn uniformly, from a stream of the iteration's own. */
export function drawStart(
  seed: number,
  iteration: number,
  experts: number,
  startEpochs: number,
): { expert: number; startEpoch: number } {
  const draw = (purpose: string, bound: number): number =>
    integers({ seed, purpose: `distil.${purpose}`, index: iteration }, 1, bound)[0]!;
  return { expert: draw('expert', experts), startEpoch: draw('startEpoch', startEpochs) };
}

/** Outer SGD with momentum on one tensor that stays on the device: v' = μv + g, x' = x − η·v'. */
async function compileDescent(
  device: Device,
  label: string,
  elements: number,
  momentum: number,
  ranges: { readonly value: BufferRange; readonly gradient: BufferRange },
): Promise<Plan> {
  const types = {
    value: f32(elements),
    gradient: f32(elements),
    velocity: f32(elements),
    learningRate: f32(),
  };
  const tape = trace(types, ({ value, gradient, velocity, learningRate }) => {
    const next = add(scale(velocity, momentum), gradient);
    return { value: sub(value, mul(learningRate, next)), velocity: next };
  });
  const plan = await compile(tape, device, {
    label,
    inputs: ranges,
    carry: { value: 'value', velocity: 'velocity' },
  });
  plan.write('velocity', new Float32Array(elements));
  return plan;
}

/** α after one step of its SGD. A step that would take it below half its value is cut there, so that it stays positive. */
export function nextInnerStep(innerStep: number, learningRate: number, velocity: number): number {
  return Math.max(innerStep - learningRate * velocity, innerStep / 2);
}

/** What a student learns by: to give `count` images their targets. */
export const innerProblem = (model: Model, image: Dataset['image'], count: number): InnerProblem => ({
  parameters: model.parameters.total,
  tables: { images: f32(count, ...image), targets: f32(count, model.outputCount) },
  loss: (theta, { images, targets }) => mse(model.forward(theta, images!).output, targets!),
});

export async function distil(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const { seed, distil: settings } = config;
  const model = studentModel(context);
  const { total } = model.parameters;
  const indices = (await readTensors(folder, files.subset))('indices').data;
  const count = indices.length;
  const startImages = await dataset.train.rows(indices);
  const startTargets = takeRows(await readFloats(folder, files.targets, 'train'), model.outputCount, indices);
  const experts = await readExperts(context);

  const unrolled = await Unroll.create({
    device,
    problem: innerProblem(model, dataset.image, count),
    optimiser: sgd(),
    steps: settings.steps,
    batchSizes: batchSizesOf(count, settings.batch),
  });
  const pixels = await compileDescent(device, 'pixels', startImages.length, settings.momentum, {
    value: unrolled.inputs.images!,
    gradient: unrolled.gradients.images!,
  });
  const targets = await compileDescent(device, 'targets', startTargets.length, settings.momentum, {
    value: unrolled.inputs.targets!,
    gradient: unrolled.gradients.targets!,
  });
  try {
    unrolled.write('images', startImages);
    unrolled.write('targets', startTargets);
    pixels.write('learningRate', Float32Array.of(settings.pixels.learningRate));
    targets.write('learningRate', Float32Array.of(settings.targets.learningRate));
    let innerStep = Math.fround(settings.innerStep.initial);
    let velocity = 0;

    for (let iteration = 0; iteration < settings.iterations; iteration++) {
      const { expert, startEpoch } = drawStart(seed, iteration, experts.length, settings.startEpochs);
      const trajectory = experts[expert]!;
      const checkpoint = (epoch: number): Float32Array =>
        trajectory.slice(epoch * total, (epoch + 1) * total);

      unrolled.write('learningRate', Float32Array.of(innerStep));
      const start = checkpoint(startEpoch);
      unrolled.submit({
        start,
        outer: { start, target: checkpoint(startEpoch + settings.expertEpochs) },
        batches: drawBatches(seed, iteration, count, settings.batch, settings.steps),
      });
      pixels.submit();
      targets.submit();
      const [loss, slope] = await Promise.all([unrolled.loss(), unrolled.gradient('learningRate')]);
      const remedy = 'Lower distil.innerStep.learningRate or distil.pixels.learningRate.';
      requireFinite(loss, `the trajectory loss at iteration ${iteration}`, remedy);
      requireFinite(slope[0]!, `the inner step's gradient at iteration ${iteration}`, remedy);
      events.append({ stage: 'distil', iteration, loss, innerStep });
      context.advance(iteration + 1, loss);

      velocity = settings.momentum * velocity + slope[0]!;
      innerStep = Math.fround(nextInnerStep(innerStep, settings.innerStep.learningRate, velocity));
    }

    const images = await unrolled.read(unrolled.inputs.images!);
    const learntTargets = await unrolled.read(unrolled.inputs.targets!);
    await writeTensors(folder, files.synthetic, [
      ['images', floatTensor(images, count, ...dataset.image)],
      ['targets', floatTensor(learntTargets, count, model.outputCount)],
      ['innerStep', floatTensor(Float32Array.of(innerStep), 1)],
      ['start.images', floatTensor(startImages, count, ...dataset.image)],
      ['start.targets', floatTensor(startTargets, count, model.outputCount)],
    ]);
    const sheet = contactSheet({
      before: startImages,
      after: images,
      count,
      image: dataset.image,
      mean: dataset.mean,
      deviation: dataset.deviation,
      scale: Math.max(1, Math.round(CELL / dataset.image[2])),
    });
    await folder.writeBytes(
      files.images,
      await encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels),
    );
  } finally {
    pixels.release();
    targets.release();
    unrolled.release();
  }
  return [files.synthetic, files.images];
}
