/**
 * The argument of MKDT, measured: how much gradients of random batches, and trajectories of whole trainings, differ under
 * the self-supervised loss and under the distillation loss, on the same student, images and start.
 */
import { permutation } from '../../kernels/philox.js';
import { placeTraining, releaseTraining } from '../../nn/deviceImages.js';
import { initialParameters } from '../../nn/model.js';
import { ObjectiveSteps } from '../../nn/objectiveSteps.js';
import type { ParameterLayout } from '../../nn/parameters.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { splitBatches } from '../../nn/training.js';
import { distillation, selfSupervision } from '../objectives.js';
import { placement, type StageContext, studentModel } from '../stages/context.js';
import { requireFinite } from '../stages/finite.js';
import { divergence, gramMatrix, type Noise, noiseOf } from './statistics.js';

/** The losses that are compared. */
export const objectiveNames = ['selfSupervised', 'distillation'] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

export interface VarianceSettings {
  /** Batches whose gradients are compared, at least 3, each a random draw of images (and views) of its own. */
  readonly batches: number;
  /** Sizes of those batches. */
  readonly batchSizes: readonly number[];
  /** Trainings that are compared, at least 3. */
  readonly trajectories: number;
  /** Length of each. */
  readonly epochs: number;
}

/** Gradients of random batches at fixed parameters. */
export interface GradientNoise extends Noise {
  readonly objective: ObjectiveName;
  /** Steps of training under the same loss before it. */
  readonly step: number;
  readonly batchSize: number;
  /** The same of all that is trained, a projector included; the rest is of the student's parameters alone. */
  readonly whole: Noise;
}

/** Displacements d = θ_t − θ_0 of several trainings. */
export interface TrajectoryNoise {
  readonly objective: ObjectiveName;
  /** What differs: orders of the batches (and views) from one start; or starts, with one order. */
  readonly over: 'orders' | 'starts';
  readonly step: number;
  /** Root mean square of ‖d‖/‖θ_0‖. */
  readonly length: number;
  /** Mean of ‖d_a − d_b‖² over pairs, over the mean of ‖d‖²: 0 for one way, 2 for no shared direction. */
  readonly divergence: number | null;
  /** Noise-to-signal ratio and mean cosine of the displacements. */
  readonly ratio: number | null;
  readonly cosine: number | null;
}

export interface VarianceStudy {
  readonly gradients: readonly GradientNoise[];
  readonly trajectories: readonly TrajectoryNoise[];
  /** How each loss was trained by, and what the first training's loss on its last batch came to. */
  readonly trainings: readonly {
    readonly objective: ObjectiveName;
    readonly learningRate: number;
    readonly batchSize: number;
    readonly steps: number;
    readonly lastLoss: number;
  }[];
}

/** Steps of one training: whole batches only, since Barlow Twins needs more than one image. */
const stepsOf = (count: number, batch: number, epochs: number): number => epochs * Math.floor(count / batch);

/** Steps at which trajectories are compared: powers of two, and the last one. */
export function checkpointsOf(steps: number): number[] {
  const powers = Array.from({ length: Math.floor(Math.log2(steps)) + 1 }, (_, k) => 2 ** k);
  return [...new Set([...powers, steps])];
}

/** Gradients and steps that the study takes. */
export function varianceSteps(
  { batches, batchSizes, trajectories, epochs }: VarianceSettings,
  count: number,
  batch: number,
): number {
  return 2 * (2 * batchSizes.length * batches + (2 * trajectories - 1) * stepsOf(count, batch, epochs));
}

/** The trainings of a study: the first is both what other orders and what other starts are compared with. */
function trainingsOf(trajectories: number): { readonly start: number; readonly order: number }[] {
  const others = Array.from({ length: trajectories - 1 }, (_, k) => k + 1);
  return [
    { start: 0, order: 0 },
    ...others.map((order) => ({ start: 0, order })),
    ...others.map((start) => ({ start, order: 0 })),
  ];
}

/** Takes the study's measurements of both losses; equal arguments give equal bits. */
export async function measureVariance(
  context: StageContext,
  targets: Float32Array,
  settings: VarianceSettings,
): Promise<VarianceStudy> {
  const { config, dataset, device } = context;
  const model = studentModel(context);
  const { count } = dataset.train;
  const most = Math.max(config.experts.batch, ...settings.batchSizes);
  const place = placement(config, most, 'study');
  const data = await placeTraining(device, dataset.train, dataset.image, targets, place);
  let done = 0;
  const advance = (steps: number, loss?: number): void => {
    done += steps;
    context.advance(done, loss);
  };
  const parts: VarianceStudy[] = [];
  try {
    for (const objectiveName of objectiveNames) {
      const isSelfSupervised = objectiveName === 'selfSupervised';
      const objective = isSelfSupervised
        ? selfSupervision(model, config.teacher, config.selfSupervised.experts, dataset)
        : distillation(model, config.experts);
      const sizes = [config.experts.batch, ...settings.batchSizes];
      const steps = await ObjectiveSteps.create(device, objective, data, sizes);
      try {
        parts.push(
          await measure({
            seed: config.seed,
            count,
            batch: config.experts.batch,
            settings,
            objectiveName,
            learningRate: objective.optimiser.learningRate,
            layout: isSelfSupervised ? withProjector(model, config.teacher) : model.parameters,
            encoder: model.parameters.total,
            steps,
            advance,
          }),
        );
      } finally {
        steps.release();
      }
    }
  } finally {
    releaseTraining(device, data);
  }
  return {
    gradients: parts.flatMap(({ gradients }) => gradients),
    trajectories: parts.flatMap(({ trajectories }) => trajectories),
    trainings: parts.flatMap(({ trainings }) => trainings),
  };
}

interface Task {
  readonly seed: number;
  /** Number of images. */
  readonly count: number;
  /** Images a step of training. */
  readonly batch: number;
  readonly settings: VarianceSettings;
  readonly objectiveName: ObjectiveName;
  readonly learningRate: number;
  /** θ: the student's tensors first, so that both losses have them at the same places; then a projector's. */
  readonly layout: ParameterLayout;
  readonly steps: ObjectiveSteps;
  /** Elements of θ that are the student's own, from the first. */
  readonly encoder: number;
  advance(steps: number, loss?: number): void;
}

async function measure(task: Task): Promise<VarianceStudy> {
  const { seed, settings, objectiveName, learningRate, layout, steps, encoder } = task;
  const startOf = (index: number): Float32Array =>
    initialParameters(layout, { seed, purpose: 'study.student', index });
  const gradients = await gradientNoise(task, startOf(0), 0);
  const lines: Training[] = [];
  let lastLoss = Number.NaN;
  for (const { start, order } of trainingsOf(settings.trajectories)) {
    lines.push({ start, order, points: await train(task, startOf(start), order) });
    if (lines.length > 1) continue;
    lastLoss = await steps.lastLoss(task.batch);
    requireFinite(
      lastLoss,
      `the ${objectiveName} loss after training`,
      objectiveName === 'distillation'
        ? 'Lower experts.learningRate.'
        : 'Lower selfSupervised.experts.learningRate.',
    );
    const [step, theta] = [...lines[0]!.points].at(-1)!;
    gradients.push(...(await gradientNoise(task, theta, step)));
  }
  const trajectories = (['orders', 'starts'] as const).flatMap((over) => {
    const compared = lines.filter(({ start, order }) => (over === 'orders' ? start : order) === 0);
    const starts = compared.map(({ start }) => startOf(start).subarray(0, encoder));
    return [...compared[0]!.points.keys()].map((step) => ({
      objective: objectiveName,
      over,
      step,
      ...displacementNoise(
        compared.map(({ points }) => points.get(step)!.subarray(0, encoder)),
        starts,
      ),
    }));
  });
  const training = {
    objective: objectiveName,
    learningRate,
    batchSize: task.batch,
    steps: stepsOf(task.count, task.batch, settings.epochs),
    lastLoss,
  };
  return { gradients, trajectories, trainings: [training] };
}

interface Training {
  readonly start: number;
  readonly order: number;
  /** θ at each checkpoint. */
  readonly points: ReadonlyMap<number, Float32Array>;
}

/** Noise of the gradients of random batches at θ, for each size of batch. */
async function gradientNoise(task: Task, theta: Float32Array, step: number): Promise<GradientNoise[]> {
  const { seed, count, settings, objectiveName, steps, encoder, advance } = task;
  const rows: GradientNoise[] = [];
  steps.start(theta);
  for (const batchSize of settings.batchSizes) {
    const found: Float32Array[] = [];
    for (let index = 0; index < settings.batches; index++) {
      // Streams are named by where they are used, not by the loss: both losses see the same images.
      const key = { seed, purpose: `study.batch/${step === 0 ? 'start' : 'trained'}/${batchSize}`, index };
      found.push(await steps.gradient({ rows: permutation(key, count).slice(0, batchSize), key }));
      advance(1);
    }
    const own = gramMatrix(found.map((gradient) => gradient.subarray(0, encoder)));
    rows.push({
      objective: objectiveName,
      step,
      batchSize,
      ...noiseOf(own, found.length),
      whole: noiseOf(gramMatrix(found), found.length),
    });
  }
  return rows;
}

/** θ at the checkpoints of one training. Its batches and views are named by `order`. */
async function train(task: Task, theta: Float32Array, order: number): Promise<Map<number, Float32Array>> {
  const { seed, count, batch, settings, steps, advance } = task;
  const total = stepsOf(count, batch, settings.epochs);
  const perEpoch = Math.floor(count / batch);
  const points = new Map<number, Float32Array>();
  const checkpoints = new Set(checkpointsOf(total));
  let batches: Int32Array[] = [];
  steps.start(theta);
  for (let step = 0; step < total; step++) {
    if (step % perEpoch === 0) {
      const index = order * settings.epochs + step / perEpoch;
      batches = splitBatches(permutation({ seed, purpose: 'study.order', index }, count), batch);
    }
    const key = { seed, purpose: 'study.view', index: order * total + step };
    await steps.step({ rows: batches[step % perEpoch]!, key });
    if (checkpoints.has(step + 1)) points.set(step + 1, await steps.parameters());
    advance(1);
  }
  return points;
}

/** Agreement of the displacements from `starts` to `ends`. */
export function displacementNoise(
  ends: readonly Float32Array[],
  starts: readonly Float32Array[],
): Pick<TrajectoryNoise, 'length' | 'divergence' | 'ratio' | 'cosine'> {
  const count = ends.length;
  const displacements = ends.map((end, a) => Float64Array.from(end, (value, k) => value - starts[a]![k]!));
  const gram = gramMatrix(displacements);
  const squares = displacements.map((_, a) => gram[a * count + a]! / squareOf(starts[a]!));
  const { ratio, cosine } = noiseOf(gram, count);
  return {
    length: Math.sqrt(squares.reduce((total, square) => total + square, 0) / count),
    divergence: divergence(gram, count),
    ratio,
    cosine,
  };
}

const squareOf = (vector: Float32Array): number => vector.reduce((total, value) => total + value * value, 0);
