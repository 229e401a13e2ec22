/**
 * Seconds of one piece of work on a device: measured as it is where that is affordable, else predicted from the same work on
 * fewer images. A prediction takes what every kernel achieves there of the device's peaks, and what the true size asks of it.
 */
import type { PlanStep } from '../../autograd/compile/describe.js';
import type { Plan } from '../../autograd/compile/plan.js';
import { profile } from '../../autograd/profile/profile.js';
import { sizeOf, type Tape } from '../../autograd/tape.js';
import { median } from '../../autograd/tune/measure.js';
import { DeviceError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { type DevicePeaks, measurePeaks } from '../../kernels/peaks.js';
import { uniformRange } from '../../kernels/philox.js';
import { compileWork, type Work } from './work.js';

/** How a time was come by. */
export type Source =
  /** Measured at its true size. */
  | { readonly kind: 'measured' }
  /** Predicted from the same work on so many images. */
  | { readonly kind: 'predicted'; readonly images: number };

/** What one piece of work takes. */
export interface WorkTime {
  readonly seconds: number;
  readonly source: Source;
}

/** What is measured with. */
export interface Measuring {
  readonly device: Device;
  /** A counting device of the same limits. */
  readonly counting: Device;
  /** Bytes of device memory that a measurement may take. */
  readonly largest: number;
}

/** With fewer images, what every step does once weighs too much; batch statistics need more than one. */
const FEWEST_IMAGES = 8;
const FEWEST_OF_ALL = 2;
/** Seconds that a sample may be expected to take before it is made of fewer images than that. */
const LONGEST_SAMPLE = 10;
/** A sample takes at least so many seconds, in as many replays as that needs. */
const SHORTEST_SAMPLE = 0.1;
const MOST_REPLAYS = 50;
/** Seconds of a replay that is repeated for more than one sample, and the number of those. */
const SHORT = 0.3;
const ROUNDS = 3;
/** A replay of so many seconds is not repeated: its warming up does not count. */
const LONG = 1;
/** What the first sample is planned with, in units of the time that the device's peaks would give. */
const EXPECTED_SLOWDOWN = 8;
/** Seconds that replays may take also where compiling has used the budget up. */
const LEAST_BUDGET = 2.5;
/** Replays of a whole measurement: one to warm up, and one that counts. */
const FEWEST_REPLAYS = 2;

/** Small numbers around 0, such as weights are, and row numbers that every table has. */
function fillInputs(plan: Plan): void {
  for (const name of Object.keys(plan.inputs)) {
    const { type } = plan.tape.operations[plan.tape.inputs[name]!]!;
    const count = sizeOf(type.shape);
    if (type.dataType === 'i32') plan.write(name, new Int32Array(count));
    else
      plan.write(name, uniformRange({ seed: 0, purpose: `estimate.${name}`, index: 0 }, count, -0.05, 0.05));
  }
}

/** Seconds of one replay, of so many in a row: as in a run, the host goes ahead of the device. */
async function timeReplays(device: Device, plan: Plan, replays: number): Promise<number> {
  const start = performance.now();
  for (let k = 0; k < replays; k++) plan.submit();
  await device.settle();
  return (performance.now() - start) / 1000 / replays;
}

/** The middle one of a few samples, where they are short: what else the machine does falls on some of them only. */
async function secondsOf(device: Device, plan: Plan): Promise<number> {
  const first = await timeReplays(device, plan, 1);
  if (first > LONG) return first;
  const replays = Math.min(MOST_REPLAYS, Math.ceil(SHORTEST_SAMPLE / Math.max(first, 1e-6)));
  const rounds = first < SHORT ? ROUNDS : 1;
  const seconds: number[] = [];
  for (let k = 0; k < rounds; k++) seconds.push(await timeReplays(device, plan, replays));
  return median(seconds);
}

interface Sample {
  readonly seconds: number;
  readonly steps: readonly PlanStep[];
  /** Seconds of all dispatches of each kernel, as a profile tells them; null where none was taken, or it would take long. */
  readonly kernels: ReadonlyMap<string, number> | null;
}

async function sample(device: Device, tape: Tape, isProfiled: boolean): Promise<Sample> {
  const plan = await compileWork(device, tape, 'estimate');
  try {
    fillInputs(plan);
    const seconds = await secondsOf(device, plan);
    return {
      seconds,
      steps: plan.describe().steps,
      kernels: isProfiled && seconds <= LONG ? await kernelSeconds(device, plan) : null,
    };
  } finally {
    plan.release();
  }
}

async function kernelSeconds(device: Device, plan: Plan): Promise<Map<string, number>> {
  const { kernels } = await profile(device, () => plan.submit());
  const seconds = new Map<string, number>();
  for (const { kernel, time } of kernels) seconds.set(kernel, (seconds.get(kernel) ?? 0) + time / 1000);
  return seconds;
}

/** Seconds of a dispatch at the device's peaks. */
function secondsAtPeak(step: PlanStep, peaks: DevicePeaks): number {
  const { floatingPointOperations, bytesRead, bytesWritten } = step;
  return Math.max(
    floatingPointOperations / peaks.arithmeticRate,
    (bytesRead + bytesWritten) / peaks.memoryRate,
  );
}

/** Seconds at peak of all dispatches, by kernel. */
function byKernel(steps: readonly PlanStep[], peaks: DevicePeaks): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const step of steps) {
    seconds.set(step.kernel, (seconds.get(step.kernel) ?? 0) + secondsAtPeak(step, peaks));
  }
  return seconds;
}

const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0);

/**
 * Seconds of some dispatches from a smaller sample of the same work: every kernel is as far from the device's peaks as it is
 * there, and the whole is to its dispatches, measured one by one, as it is there.
 */
function predictSeconds(
  { seconds, steps, kernels }: Sample,
  wanted: readonly PlanStep[],
  peaks: DevicePeaks,
): number {
  const [small, large] = [byKernel(steps, peaks), byKernel(wanted, peaks)];
  const overall = seconds / total(small.values());
  if (kernels === null) return overall * total(large.values());
  const whole = seconds / total(kernels.values());
  return total(
    [...large].map(([kernel, atPeak]) => {
      const [measured, measuredAtPeak] = [kernels.get(kernel), small.get(kernel)];
      // A kernel that is chosen at the true size only is taken to do as well as the others.
      if (measured === undefined || !measuredAtPeak) return overall * atPeak;
      return (whole * measured * atPeak) / measuredAtPeak;
    }),
  );
}

/** What a piece of work asks of the device at its true size; null where that does not fit. */
async function trueSize(
  counting: Device,
  tape: Tape,
): Promise<{ readonly steps: readonly PlanStep[]; readonly memory: number } | null> {
  try {
    const plan = await compileWork(counting, tape, 'estimate');
    plan.release();
    return { steps: plan.describe().steps, memory: plan.memory };
  } catch (error) {
    if (error instanceof DeviceError) return null;
    throw error;
  }
}

/** How long one piece of work took or will take, and how far from the device's peaks that is. */
interface Finding extends WorkTime {
  /** Seconds of the sample to what they would be at the device's peaks. */
  readonly slowdown: number;
}

/**
 * @param tape the work's, at its true size
 * @param budget seconds that may be spent on it, as far as that can be told ahead
 * @param slowdown what is expected of the device
 * @returns null where the device cannot run it at its true size.
 */
async function measureWork(
  { device, counting, largest }: Measuring,
  work: Work,
  tape: Tape,
  budget: number,
  slowdown: number,
): Promise<Finding | null> {
  const wanted = await trueSize(counting, tape);
  if (wanted === null) return null;
  const peaks = await measurePeaks(device);
  const atPeak = (steps: readonly PlanStep[]): number => total(byKernel(steps, peaks).values());
  const expected = slowdown * atPeak(wanted.steps);
  const bearable = Math.floor((work.images * LONGEST_SAMPLE) / expected);
  const fewest = Math.min(work.images, Math.max(FEWEST_OF_ALL, Math.min(FEWEST_IMAGES, bearable)));
  const isAffordable = wanted.memory <= largest && FEWEST_REPLAYS * expected <= budget;
  if (isAffordable || fewest === work.images) {
    const { seconds, steps } = await sample(device, tape, false);
    return { seconds, source: { kind: 'measured' }, slowdown: seconds / atPeak(steps) };
  }
  // The more images, the nearer to the true size; one more replay is for the profile.
  const affordable = (work.images * budget) / ((FEWEST_REPLAYS + 1) * expected);
  const fitting = (work.images * largest) / wanted.memory;
  const images = Math.floor(Math.max(fewest, Math.min(affordable, fitting, work.images / 2)));
  const sampled = await sample(device, work.tape(images), true);
  return {
    seconds: predictSeconds(sampled, wanted.steps, peaks),
    source: { kind: 'predicted', images },
    slowdown: sampled.seconds / atPeak(sampled.steps),
  };
}

/** Names all that a tape computes: works of one name take the same time. */
function nameOf({ operations, inputs, outputs }: Tape): string {
  const lines = operations.map(({ name, attributes, inputs, type }) => [name, attributes, inputs, type]);
  return JSON.stringify([lines, inputs, outputs]);
}

/**
 * Seconds of each piece of work; null where the device cannot run it at its true size. What occurs twice is measured once.
 *
 * @param budget seconds that may be spent on all of it, as far as that can be told ahead
 * @throws DeviceError when work does not even run on a few images.
 */
export async function measureWorks(
  measuring: Measuring,
  works: readonly Work[],
  budget: number,
  progress: (what: string) => void,
): Promise<(WorkTime | null)[]> {
  const start = performance.now();
  const tapes = works.map((work) => work.tape(work.images));
  const names = tapes.map(nameOf);
  const distinct = [...new Set(names)];
  const found = new Map<string, WorkTime | null>();
  let slowdown = EXPECTED_SLOWDOWN;
  for (const [k, name] of distinct.entries()) {
    const place = names.indexOf(name);
    const work = works[place]!;
    progress(`${work.stage}: ${work.what}${work.images > 1 ? ` of ${work.images} images` : ''}`);
    const left = budget - (performance.now() - start) / 1000;
    const share = Math.max(LEAST_BUDGET, left / (distinct.length - k));
    const finding = await measureWork(measuring, work, tapes[place]!, share, slowdown);
    if (finding !== null) {
      slowdown = Math.max(slowdown, finding.slowdown);
      const { seconds, source } = finding;
      found.set(name, { seconds, source });
    } else found.set(name, null);
  }
  return names.map((name) => found.get(name)!);
}
