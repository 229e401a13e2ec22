/**
 * The stage `teacher`: a network trained on the real images without labels, by Barlow Twins (MKDT eqs. 1, 2) or SimCLR on
 * two random views of each image. One that normalises over the batch sees the views as two batches, first all first views,
 * then all second ones, as the methods' own code does; its running statistics move on by each, in that order.
 */
import { BYTES } from '../../autograd/compile/bufferRange.js';
import { compile } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { gather } from '../../autograd/ops/gather.js';
import { f32, i32, type Tape, type TensorType } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import type { InnerOptimiser } from '../../autograd/unroll/problem.js';
import { permutation } from '../../kernels/philox.js';
import { placeImages, releaseImages, stageRows } from '../../nn/deviceImages.js';
import { hasBuffers } from '../../nn/evaluationMode.js';
import { learningRateAt } from '../../nn/learningRate.js';
import { LossRecord } from '../../nn/lossRecord.js';
import { initialParameters } from '../../nn/model.js';
import { adam } from '../../nn/optimisers/adam.js';
import { lars } from '../../nn/optimisers/lars.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import type { ParameterLayout } from '../../nn/parameters.js';
import { project, selfSupervisedLoss, withProjector } from '../../nn/selfSupervised.js';
import { drawPairs, pairTypes, pairViews } from '../../nn/viewPairs.js';
import { tensorOf } from '../checkpoints.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import {
  files,
  floatTensor,
  namedParameters,
  placement,
  type StageContext,
  teacherNetwork,
  writeTensors,
} from './context.js';
import { lower, requireFinite, watchLosses } from './finite.js';
import { Held } from './held.js';
import { SquareSums } from './squareSums.js';

type Settings = Config['teacher'];

/** Steps between two events of the loss, and between two waits for the device. */
export const EVENT_EVERY = 10;

function optimiserOf(settings: Settings, layout: ParameterLayout): InnerOptimiser {
  const weightDecay = settings.weightDecay > 0;
  if (settings.optimiser === 'lars') return lars({ layout, weightDecay });
  if (settings.optimiser === 'sgd') return sgd({ momentum: settings.momentum > 0, weightDecay });
  return adam({ weightDecay });
}

/** What a step of the teacher's training is made of. */
function trainingParts(config: Config, image: Dataset['image']) {
  const model = teacherNetwork({ config, dataset: { image } });
  const layout = withProjector(model, config.teacher);
  const optimiser = optimiserOf(config.teacher, layout);
  const stateTypes = Object.fromEntries(
    Object.entries(optimiser.state).map(([name, { extent }]) => [
      name,
      extent === 'scalar' ? f32() : f32(layout.total),
    ]),
  );
  return { model, layout, optimiser, stateTypes };
}

/** Some of the tensors by name. */
const select = (
  tensors: Readonly<Record<string, Tensor>>,
  names: readonly string[],
): Record<string, Tensor> => Object.fromEntries(names.map((name) => [name, tensors[name]!]));

/** One step of the teacher's training on `count` images in device memory: two views of a batch, the loss of the two, the optimiser. */
export function teacherTape(config: Config, image: Dataset['image'], count: number): Tape {
  const settings = config.teacher;
  const { model, layout, optimiser, stateTypes } = trainingParts(config, image);
  const batch = Math.min(settings.batch, count);
  const types: Record<string, TensorType> = {
    theta: f32(layout.total),
    ...(hasBuffers(model) ? { running: f32(model.buffers.total) } : {}),
    ...stateTypes,
    ...Object.fromEntries(optimiser.hyperparameters.map((name) => [name, f32()])),
    images: f32(count, ...image),
    batch: i32(batch),
    ...pairTypes(settings, image, batch),
  };
  return trace(types, (inputs) => {
    const theta = inputs.theta!;
    let running = inputs.running;
    const views = pairViews(gather(inputs.images!, inputs.batch!), inputs, settings);
    const [z1, z2] = views.map((images) => {
      if (!hasBuffers(model) || running === undefined) {
        return project(layout, theta, model.forward(theta, images).output, settings);
      }
      const { output, buffers } = model.train(theta, running, images);
      running = buffers;
      return project(layout, theta, output, settings);
    }) as [Tensor, Tensor];
    const loss = selfSupervisedLoss(z1, z2, settings);
    const [g] = gradient(loss, [theta]) as [Tensor];
    const next = optimiser.step({
      theta,
      gradient: g,
      state: select(inputs, Object.keys(stateTypes)),
      hyperparameters: select(inputs, optimiser.hyperparameters),
    });
    return { theta: next.theta, ...next.state, ...(running === undefined ? {} : { running }), loss };
  });
}

/** Writes the teacher's parameters and running statistics, without the projector. */
export async function trainTeacher(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const settings = config.teacher;
  const { model, layout, optimiser } = trainingParts(config, dataset.image);
  const { count } = dataset.train;
  const batch = Math.min(settings.batch, count);
  const start = { seed: config.seed, purpose: 'teacher', index: 0 };
  const carried = ['theta', ...Object.keys(optimiser.state), ...(hasBuffers(model) ? ['running'] : [])];
  const carry = Object.fromEntries(carried.map((name) => [name, name]));
  const held = new Held();
  try {
    const images = held.takeWith(
      await placeImages(device, dataset.train, dataset.image, placement(config, batch, 'teacher')),
      (placed) => releaseImages(device, placed),
    );
    const tape = teacherTape(config, dataset.image, images.imageShape[0]!);
    const plan = held.take(
      await compile(tape, device, { label: 'teacher', inputs: { images: images.images }, carry }),
    );
    const losses = held.take(new LossRecord(device, 'teacher'));
    const parameters = held.take(await SquareSums.create(device, { theta: plan.inputs.theta! }));
    plan.write('theta', initialParameters(layout, start));
    if (hasBuffers(model)) plan.write('running', initialParameters(model.buffers, start));
    for (const [name, { extent, start: value }] of Object.entries(optimiser.state)) {
      plan.write(name, new Float32Array(extent === 'scalar' ? 1 : layout.total).fill(value));
    }
    for (const name of ['momentum', 'weightDecay'] as const) {
      if (optimiser.hyperparameters.includes(name)) plan.write(name, Float32Array.of(settings[name]));
    }

    // Where the next step reads it: outputs hold nothing yet where no step was left to be taken.
    const carriedNow = async (name: string): Promise<Float32Array> => {
      const { buffer, offset, bytes } = plan.inputs[name]!;
      return new Float32Array(await device.read(buffer, offset, bytes));
    };
    const resumed = context.checkpoints?.resumed ?? null;
    if (resumed !== null) {
      for (const name of carried) {
        plan.write(name, tensorOf(resumed, name, plan.inputs[name]!.bytes / BYTES));
      }
    }
    const remedy = lower(config, 'teacher.learningRate');
    const watch = watchLosses('the loss of the stage teacher', remedy, resumed?.done ?? 0);
    let order: Int32Array = new Int32Array(0);
    let epoch = 0;
    for (let step = 0; step < settings.steps; step++) {
      // An epoch is a permutation used up without replacement; a rest too short for a batch is left out.
      if (order.length < batch) {
        order = permutation({ seed: config.seed, purpose: 'teacher.order', index: epoch++ }, count);
      }
      const rows = order.slice(0, batch);
      order = order.slice(batch);
      if (step < (resumed?.done ?? 0)) continue;
      plan.write('batch', await stageRows(images, rows));
      plan.write('learningRate', Float32Array.of(learningRateAt(step, settings.learningRate, settings)));
      const key = { seed: config.seed, purpose: 'teacher', index: step };
      for (const [name, numbers] of Object.entries(drawPairs(key, batch, dataset, settings))) {
        plan.write(name, numbers);
      }
      device.submit((encoder) => {
        plan.encode(encoder);
        losses.encode(encoder, plan.outputs.loss!);
      });
      if ((step + 1) % EVENT_EVERY === 0 || step + 1 === settings.steps) {
        parameters.submit();
        const [taken, squares] = await Promise.all([losses.take(), parameters.read()]);
        watch(taken);
        // The loss may stay a number where θ is none: a device may take the greater of NaN and 0, as ReLU does, for 0.
        for (const [, square] of squares) {
          requireFinite(
            square,
            `the sum of squares of θ of the stage teacher after step ${step + 1}`,
            remedy,
          );
        }
        const loss = taken.at(-1);
        events.append({ stage: 'teacher', step: step + 1, loss });
        context.advance(step + 1, loss);
        await context.checkpoints?.reached(step + 1, async () => ({
          tensors: new Map(
            await Promise.all(
              carried.map(async (name) => {
                const data = await carriedNow(name);
                return [name, floatTensor(data, data.length)] as const;
              }),
            ),
          ),
        }));
      }
    }
    // The encoder comes first in θ, and the projector after it is left behind.
    const encoder = (await carriedNow('theta')).subarray(0, model.parameters.total);
    const tensors = [
      ...namedParameters(model.parameters, encoder),
      ...(hasBuffers(model) ? namedParameters(model.buffers, await carriedNow('running')) : []),
    ];
    await writeTensors(folder, files.teacher, tensors);
  } finally {
    held.release();
  }
  return [files.teacher];
}
