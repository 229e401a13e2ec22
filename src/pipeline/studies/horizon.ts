/**
 * How far training is differentiated through, measured: over numbers of inner steps N and of matched expert epochs M, the
 * gradient of the trajectory loss (MKDT eq. 4), what truncation leaves of it, and where a short distillation comes to.
 */
import { mean } from 'simple-statistics';
import { truncationCosines } from '../../autograd/unroll/observer.js';
import type { Trajectory } from '../../autograd/unroll/options.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { batchSizesOf } from '../../nn/training.js';
import {
  files,
  readFloats,
  readTensors,
  type StageContext,
  studentModel,
  takeRows,
} from '../stages/context.js';
import { drawBatches, drawStart } from '../stages/draws.js';
import { innerProblem } from '../stages/innerProblem.js';
import { OuterLoop } from '../stages/outerLoop.js';
import { Trajectories } from '../stages/trajectories.js';

export interface HorizonSettings {
  /** Numbers of inner steps N. */
  readonly steps: readonly number[];
  /** Numbers of expert epochs M. */
  readonly expertEpochs: readonly number[];
  /** Starts (expert, epoch, batches) that gradients are averaged over. */
  readonly draws: number;
  /** Outer iterations of each short distillation. */
  readonly iterations: number;
}

/** The gradient at the images that distillation starts from: means over the draws. */
export interface HorizonGradient {
  /** N */
  readonly steps: number;
  /** M */
  readonly expertEpochs: number;
  /** Trajectory loss. */
  readonly loss: number;
  /** Norms of its gradients by pixels, targets and the inner step α. */
  readonly norms: { readonly images: number; readonly targets: number; readonly learningRate: number };
  /** Cosine of the pixels' gradient truncated to the last k steps to the exact one, k = 1 … N. */
  readonly cosines: readonly number[];
  /** ‖λ_n‖/‖λ_N‖, the adjoint of θ_n, n = 0 … N. */
  readonly adjoints: readonly number[];
}

/** A distillation of few iterations from the same start. */
export interface HorizonDistillation {
  readonly steps: number;
  readonly expertEpochs: number;
  /** Trajectory loss of each iteration, before its update. */
  readonly losses: readonly number[];
  /** α at the end. */
  readonly innerStep: number;
  /** Measured; all else is the same in every run. */
  readonly seconds: number;
}

export interface HorizonStudy {
  readonly gradients: readonly HorizonGradient[];
  readonly distillations: readonly HorizonDistillation[];
}

/** Hypergradients that the study takes. */
export const horizonSteps = ({ steps, expertEpochs, draws, iterations }: HorizonSettings): number =>
  steps.length * expertEpochs.length * (draws + iterations);

interface Task {
  readonly context: StageContext;
  readonly settings: HorizonSettings;
  readonly trajectories: Trajectories;
  readonly images: Float32Array;
  readonly targets: Float32Array;
  /** Number of synthetic images. */
  readonly count: number;
  advance(loss: number): void;
}

/** Takes the study's measurements from a run's targets, experts and subset; but for seconds, equal arguments give equal bits. */
export async function measureHorizon(
  context: StageContext,
  settings: HorizonSettings,
): Promise<HorizonStudy> {
  const { dataset, folder } = context;
  const { outputCount } = studentModel(context);
  const indices = (await readTensors(folder, files.subset))('indices').data;
  let done = 0;
  const task: Task = {
    context,
    settings,
    trajectories: new Trajectories(context),
    images: await dataset.train.rows(indices),
    targets: takeRows(await readFloats(folder, files.targets, 'train'), outputCount, indices),
    count: indices.length,
    advance: (loss) => context.advance(++done, loss),
  };
  const gradients: HorizonGradient[] = [];
  const distillations: HorizonDistillation[] = [];
  for (const steps of settings.steps) {
    gradients.push(...(await gradientsOf(task, steps)));
    distillations.push(...(await distillationsOf(task, steps)));
  }
  return { gradients, distillations };
}

async function unrollOf(
  { context, count }: Task,
  steps: number,
  observe: readonly ('adjointNorms' | 'contributions')[],
): Promise<Unroll> {
  const { config, dataset, device } = context;
  return await Unroll.create({
    device,
    problem: innerProblem(studentModel(context), dataset.image, count),
    optimiser: sgd(),
    steps,
    batchSizes: batchSizesOf(count, config.distil.batch),
    observe,
  });
}

/** The start, target and batches of one hypergradient; the same expert and start epoch for every N and M. */
async function trajectoryOf(
  { context, trajectories, count }: Task,
  steps: number,
  expertEpochs: number,
  draw: number,
): Promise<Trajectory & { readonly outer: { readonly target: Float32Array } }> {
  const { seed, distil, experts } = context.config;
  const { expert, startEpoch } = drawStart(seed, draw, experts.count, distil.startEpochs);
  const start = await trajectories.checkpoint(expert, startEpoch);
  return {
    start,
    outer: { start, target: await trajectories.checkpoint(expert, startEpoch + expertEpochs) },
    batches: drawBatches(seed, draw, count, distil.batch, steps),
  };
}

const normOf = (vector: Float32Array): number =>
  Math.sqrt(vector.reduce((total, value) => total + value * value, 0));

/** Position by position, the mean of several lists. */
const meanOf = (lists: readonly (readonly number[])[]): number[] =>
  lists[0]!.map((_, position) => mean(lists.map((list) => list[position]!)));

async function gradientsOf(task: Task, steps: number): Promise<HorizonGradient[]> {
  const { context, settings, images, targets, advance } = task;
  const unroll = await unrollOf(task, steps, ['adjointNorms', 'contributions']);
  try {
    unroll.write('images', images);
    unroll.write('targets', targets);
    unroll.write('learningRate', Float32Array.of(context.config.distil.innerStep.initial));
    const found: HorizonGradient[] = [];
    for (const expertEpochs of settings.expertEpochs) {
      const losses: number[] = [];
      const norms: number[][] = [];
      const cosines: number[][] = [];
      const adjoints: number[][] = [];
      for (let draw = 0; draw < settings.draws; draw++) {
        unroll.submit(await trajectoryOf(task, steps, expertEpochs, draw));
        const { adjointNorms, contributions } = await unroll.observation();
        losses.push(await unroll.loss());
        const names = ['images', 'targets', 'learningRate'];
        norms.push(await Promise.all(names.map(async (name) => normOf(await unroll.gradient(name)))));
        cosines.push([...truncationCosines(contributions!.images!)]);
        adjoints.push(Array.from(adjointNorms!, (norm) => norm / adjointNorms![steps]!));
        advance(losses.at(-1)!);
      }
      const [imageNorm, targetNorm, rateNorm] = meanOf(norms) as [number, number, number];
      found.push({
        steps,
        expertEpochs,
        loss: mean(losses),
        norms: { images: imageNorm, targets: targetNorm, learningRate: rateNorm },
        cosines: meanOf(cosines),
        adjoints: meanOf(adjoints),
      });
    }
    return found;
  } finally {
    unroll.release();
  }
}

async function distillationsOf(task: Task, steps: number): Promise<HorizonDistillation[]> {
  const { context, settings, images, targets, count, advance } = task;
  const { config, dataset, device } = context;
  const found: HorizonDistillation[] = [];
  for (const expertEpochs of settings.expertEpochs) {
    const loop = await OuterLoop.create({
      device,
      problem: innerProblem(studentModel(context), dataset.image, count),
      settings: { ...config.distil, steps, iterations: settings.iterations, keep: 'last', truncate: null },
      start: { images, targets, count },
    });
    try {
      const begin = performance.now();
      const losses: number[] = [];
      for (let iteration = 0; iteration < settings.iterations; iteration++) {
        const { start, outer, batches } = await trajectoryOf(task, steps, expertEpochs, iteration);
        const { loss } = await loop.step({ from: start, to: outer.target, batches });
        losses.push(loss);
        advance(loss);
      }
      const seconds = Math.round(performance.now() - begin) / 1000;
      const { innerStep } = await loop.read();
      found.push({ steps, expertEpochs, losses, innerStep, seconds });
    } finally {
      loop.release();
    }
  }
  return found;
}
