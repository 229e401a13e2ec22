/** One hypergradient of the distillation at hand, looked into: what the reverse sweep leaves behind at each step. */
import { truncationCosines } from '../../src/autograd/unroll/observer.js';
import type { MemoryMode, UnrollOptions } from '../../src/autograd/unroll/options.js';
import { Unroll } from '../../src/autograd/unroll/unroll.js';
import type { Device } from '../../src/gpu/device.js';
import { sgd } from '../../src/nn/optimisers/sgd.js';
import { batchSizesOf } from '../../src/nn/training.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import type { Dataset } from '../../src/pipeline/data/dataset.js';
import { relativeError } from '../../src/pipeline/gradcheck/compare.js';
import { studentModel } from '../../src/pipeline/stages/context.js';
import { drawStart, startEpochsAt } from '../../src/pipeline/stages/draws.js';
import { innerProblem } from '../../src/pipeline/stages/innerProblem.js';
import { learntNames } from '../../src/pipeline/stages/outerLoop.js';
import type { SyntheticSet } from '../../src/pipeline/stages/syntheticTensors.js';
import type { InsideGradient, ModeMeasure } from '../inside.js';
import { outerStep } from './distillation.js';
import type { Prepared, Told } from './prepare.js';

/** Hypergradients whose least time is told of a mode. */
const REPEATS = 3;

interface Subject {
  readonly device: Device;
  readonly config: Config;
  readonly dataset: Dataset;
  readonly prepared: Prepared;
  readonly set: SyntheticSet;
  /** The iteration whose draws are used. */
  readonly iteration: number;
}

async function unrollOf(
  { device, config, dataset, prepared, set }: Subject,
  options: Pick<UnrollOptions, 'memory' | 'observe'>,
): Promise<Unroll> {
  const { count } = prepared.start;
  const unroll = await Unroll.create({
    device,
    problem: innerProblem(studentModel({ config, dataset }), dataset.image, count),
    optimiser: sgd(),
    steps: config.distil.steps,
    batchSizes: batchSizesOf(count, config.distil.batch),
    wrt: learntNames(config.distil),
    ...options,
  });
  unroll.write('images', set.images);
  unroll.write('targets', set.targets);
  unroll.write('learningRate', Float32Array.of(set.innerStep));
  return unroll;
}

function submit(unroll: Unroll, { config, dataset, prepared, iteration }: Subject): void {
  const { from, to, batches } = outerStep(config, dataset, prepared, iteration);
  unroll.submit({ start: from, outer: { start: from, target: to }, batches });
}

/** Takes the hypergradient in a memory mode some times. */
async function measure(
  subject: Subject,
  mode: ModeMeasure['mode'],
  memory: MemoryMode,
  exact: Float32Array,
): Promise<ModeMeasure> {
  const unroll = await unrollOf(subject, { memory });
  try {
    let seconds = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const began = performance.now();
      submit(unroll, subject);
      await unroll.loss();
      seconds = Math.min(seconds, (performance.now() - began) / 1000);
    }
    const distance = relativeError(await unroll.gradient('images'), exact);
    return { mode, bytes: unroll.memory, keptSteps: unroll.keptSteps, seconds, distance };
  } finally {
    unroll.release();
  }
}

async function measureModes(subject: Subject, exact: Float32Array, tell: Told): Promise<ModeMeasure[]> {
  tell('Taking it in every memory mode', 0, 3);
  const full = await measure(subject, 'full', 'full', exact);
  tell('Taking it in every memory mode', 1, 3);
  const recompute = await measure(subject, 'recompute', 'recompute', exact);
  tell('Taking it in every memory mode', 2, 3);
  // Half way between the two.
  const budget = Math.ceil((full.bytes + recompute.bytes) / 2);
  const mixed = await measure(subject, 'mixed', { mixed: budget }, exact);
  return [full, mixed, recompute];
}

/** Takes one hypergradient apart. */
export async function lookInside(subject: Subject, tell: Told): Promise<InsideGradient> {
  const { config, dataset, prepared, set, iteration } = subject;
  tell('Going back through training', 0, 1);
  const unroll = await unrollOf(subject, { memory: 'recompute', observe: ['adjointNorms', 'contributions'] });
  try {
    submit(unroll, subject);
    const [loss, innerLosses, observation, exact] = [
      await unroll.loss(),
      await unroll.innerLosses(),
      await unroll.observation(),
      await unroll.gradient('images'),
    ];
    const contributions = observation.contributions!;
    const { seed, distil } = config;
    const drawn = drawStart(seed, iteration, prepared.experts.length, startEpochsAt(distil, iteration));
    return {
      iteration,
      steps: distil.steps,
      loss,
      ...drawn,
      innerLosses: [...innerLosses],
      adjointNorms: [...observation.adjointNorms!],
      contributions: contributions.images!,
      rateContributions: contributions.learningRate!.map((part) => part[0]!) as number[],
      cosines: [...truncationCosines(contributions.images!)],
      modes: await measureModes(subject, exact, tell),
      images: {
        data: set.images,
        count: prepared.start.count,
        image: dataset.image,
        mean: dataset.mean,
        deviation: dataset.deviation,
      },
    };
  } finally {
    unroll.release();
  }
}
