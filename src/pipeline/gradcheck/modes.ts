/** The memory modes against each other: gradients, time and memory; and memory by the number of steps. */

import { BYTES } from '../../autograd/compile/bufferRange.js';
import type { StorageFormat } from '../../autograd/unroll/keptStorage.js';
import type { MemoryMode } from '../../autograd/unroll/options.js';
import type { Device } from '../../gpu/device.js';
import { type Agreement, agreement, float16Tolerance, float32Tolerance, relativeError } from './compare.js';
import { createUnroll, type DeviceRun, runOnDevice } from './deviceRun.js';
import { type CheckProblem, checkProblem } from './problem.js';
import type { CheckSettings } from './settings.js';

export interface ModeCheck {
  readonly mode: 'recompute' | 'full' | 'mixed';
  /** How kept intermediates are stored. */
  readonly storage: StorageFormat;
  /** Bytes of device memory held, and the budget of `mixed`. */
  readonly memory: number;
  readonly budget?: number;
  /** Steps whose intermediates are kept. */
  readonly keptSteps: number;
  /** Seconds of one hypergradient. */
  readonly seconds: number;
  /** The largest relative difference of a gradient to recompute's. */
  readonly difference: Agreement;
}

/** Fewer steps than this leave `mixed` nothing between the other two: its plans of both kinds are larger than what it keeps. */
const LEAST_MODE_STEPS = 20;

/** Runs every mode over at least `LEAST_MODE_STEPS`; `mixed` gets a budget half way between the other two. */
export async function checkModes(device: Device, { settings }: CheckProblem): Promise<ModeCheck[]> {
  const problem = checkProblem({ ...settings, steps: modeSteps(settings) });
  const run = (memory: MemoryMode, storage: StorageFormat = 'float32'): Promise<DeviceRun> =>
    runOnDevice(device, problem, { memory, storage, isTimed: true });
  const recompute = await run('recompute');
  const full = await run('full');
  const half = await run('full', 'float16');
  // A few kept steps need both kinds of plans, so half way may be less than recomputing needs.
  const budget = Math.max(recompute.memory, Math.ceil((recompute.memory + full.memory) / 2));
  const mixed = await run({ mixed: budget });
  const compare = (
    mode: ModeCheck['mode'],
    { gradients, memory, keptSteps, seconds }: DeviceRun,
    storage: StorageFormat = 'float32',
  ): ModeCheck => {
    const errors = Object.entries(recompute.gradients).map(([name, want]) =>
      relativeError(gradients[name]!, want),
    );
    const tolerance = storage === 'float16' ? float16Tolerance : float32Tolerance;
    const difference = agreement(Math.max(...errors), tolerance(problem.description.steps));
    return { mode, storage, memory, keptSteps, seconds, difference };
  };
  return [
    compare('recompute', recompute),
    compare('full', full),
    { ...compare('mixed', mixed), budget },
    compare('full', half, 'float16'),
  ];
}

/** Number of steps that the modes are compared at. */
export const modeSteps = ({ steps }: CheckSettings): number => Math.max(steps, LEAST_MODE_STEPS);

export interface MemoryRow {
  readonly steps: number;
  readonly recompute: number;
  /** What recompute holds more than with the first number of steps, and what its stored parameters take more. */
  readonly growth: number;
  readonly storedGrowth: number;
  readonly full: number;
  readonly mixed: number;
  readonly mixedKeptSteps: number;
}

export interface MemoryCheck {
  /** Bytes that `mixed` may hold for any number of steps. */
  readonly budget: number;
  readonly rows: readonly MemoryRow[];
  /** Growth beyond the stored parameters, in bytes for a step: two losses and a weight. */
  readonly restPerStep: Agreement;
  readonly isWithinBudget: boolean;
}

export const MEMORY_STEPS = [5, 10, 20, 40, 80] as const;
/** Beside its parameters, a step has two losses and a weight; row numbers are not counted as memory held. */
const SCALARS_PER_STEP = 3;

/** Device memory of every mode by the number of steps. Nothing runs; the plans are compiled as for a run. */
export async function checkMemory(device: Device, { settings }: CheckProblem): Promise<MemoryCheck> {
  const problemOf = (steps: number): CheckProblem => checkProblem({ ...settings, steps });
  const held = async (steps: number, memory: MemoryMode) => {
    const unroll = await createUnroll(device, problemOf(steps), { memory });
    const found = { memory: unroll.memory, keptSteps: unroll.keptSteps };
    unroll.release();
    return found;
  };
  const [first, last] = [MEMORY_STEPS[0], MEMORY_STEPS[MEMORY_STEPS.length - 1]!];
  const most = await held(last, 'full');
  const least = await held(last, 'recompute');
  const budget = Math.ceil((most.memory + least.memory) / 2);
  const stored = storedBytesPerStep(problemOf(first));
  const start = (await held(first, 'recompute')).memory;
  const rows: MemoryRow[] = [];
  for (const steps of MEMORY_STEPS) {
    const recompute = (await held(steps, 'recompute')).memory;
    const mixed = await held(steps, { mixed: budget });
    rows.push({
      steps,
      recompute,
      growth: recompute - start,
      storedGrowth: (steps - first) * stored,
      full: (await held(steps, 'full')).memory,
      mixed: mixed.memory,
      mixedKeptSteps: mixed.keptSteps,
    });
  }
  const end = rows.at(-1)!;
  const rest = (end.growth - end.storedGrowth) / (last - first);
  return {
    budget,
    rows,
    restPerStep: agreement(Math.abs(rest), SCALARS_PER_STEP * BYTES + POOL_SLACK / (last - first)),
    isWithinBudget: rows.every(({ mixed }) => mixed <= budget),
  };
}

/** Small buffers are handed out in multiples of so many bytes. */
const POOL_SLACK = 512;

/** Bytes of θ and of what the optimiser keeps beside it, which the path stores for each step. */
function storedBytesPerStep({ description }: CheckProblem): number {
  const { problem, optimiser } = description;
  const state = Object.values(optimiser.state).map(({ extent }) =>
    extent === 'scalar' ? 1 : problem.parameters,
  );
  return BYTES * state.reduce((total, elements) => total + elements, problem.parameters);
}
