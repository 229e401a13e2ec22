/** Times of one unit under several block sizes, measured in turn, so that whatever else the machine does falls on all. */
import { HypergradError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import type { Tuning } from '../../kernels/catalogue.js';
import { uniformRange } from '../../kernels/philox.js';
import { type BufferRange, type Numbers, uploadRange } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { sizeOf, type Tape } from '../tape.js';
import { agrees, type CandidateTime } from './choose.js';

/** A sample takes at least so long, in as many replays as that needs: waiting for the device then weighs little. Milliseconds. */
const SHORTEST_SAMPLE = 10;
const MOST_REPEATS = 2000;
/** What takes so many times as long as the first is timed once and no more. */
const HOPELESS = 1.5;

const LABEL = 'tune';

/** Numbers for an input: floats around 1, of which every function is defined; row numbers that every table has. */
function numbersFor(tape: Tape, name: string): Numbers {
  const { type } = tape.operations[tape.inputs[name]!]!;
  const count = sizeOf(type.shape);
  if (type.dataType === 'f32')
    return uniformRange({ seed: 0, purpose: `tune.${name}`, index: 0 }, count, 0.5, 1.5);
  const rows = Object.values(tape.inputs)
    .map((id) => tape.operations[id]!.type)
    .filter(({ dataType, shape }) => dataType === 'f32' && shape.length > 0)
    .map(({ shape }) => shape[0]!);
  const least = Math.min(count, ...rows);
  return Int32Array.from({ length: count }, (_, k) => k % least);
}

const resultOf = (plan: Plan): Promise<Numbers> => {
  const { dataType } = plan.tape.operations[plan.tape.outputs.result!]!.type;
  return dataType === 'i32' ? plan.readIntegers('result') : plan.read('result');
};

/** Milliseconds of one replay, of so many in a row. */
async function sample(device: Device, plan: Plan, repeats: number): Promise<number> {
  const start = performance.now();
  device.submit((encoder) => {
    for (let k = 0; k < repeats; k++) plan.encode(encoder);
  });
  await device.settle();
  return (performance.now() - start) / repeats;
}

const repeatsFor = (milliseconds: number): number =>
  Math.min(MOST_REPEATS, Math.max(1, Math.ceil(SHORTEST_SAMPLE / Math.max(milliseconds, 1e-3))));

/** Replays of a sample that is long enough, and the milliseconds of one as far as they are known. */
async function warmUp(device: Device, plan: Plan): Promise<{ repeats: number; milliseconds: number }> {
  let milliseconds = await sample(device, plan, 1);
  let repeats = repeatsFor(milliseconds);
  if (repeats === 1) return { repeats, milliseconds };
  milliseconds = await sample(device, plan, repeats);
  repeats = repeatsFor(milliseconds);
  return { repeats, milliseconds };
}

/** The middle one; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Running {
  readonly plan: Plan;
  readonly repeats: number;
  /** Milliseconds of a replay. */
  readonly samples: number[];
}

/**
 * Seconds of one replay of a unit, by variant. The first variant is what the others' results are held to: one that errs,
 * or that the device refuses, has a failure in place of its time.
 *
 * @param rounds samples of each variant; their median counts
 * @throws DeviceError when the first variant does not run.
 */
export async function measureUnit(
  device: Device,
  tape: Tape,
  variants: ReadonlyMap<string, Tuning>,
  rounds: number,
): Promise<Map<string, CandidateTime>> {
  const found = new Map<string, CandidateTime>();
  const running = new Map<string, Running>();
  const plans: Plan[] = [];
  const inputs: Record<string, BufferRange> = {};
  try {
    for (const name of Object.keys(tape.inputs)) {
      inputs[name] = uploadRange(device, numbersFor(tape, name), `${LABEL}.${name}`);
    }
    let want: Numbers | undefined;
    let reference: number | undefined;
    for (const [name, tuning] of variants) {
      try {
        const plan = await compile(tape, device, { label: LABEL, inputs, tuning });
        plans.push(plan);
        plan.submit();
        const got = await resultOf(plan);
        if (want !== undefined && !agrees(got, want)) {
          found.set(name, { failure: 'it computes something else' });
          continue;
        }
        want ??= got;
        const { repeats, milliseconds } = await warmUp(device, plan);
        reference ??= milliseconds;
        found.set(name, { seconds: milliseconds / 1000 });
        if (milliseconds <= HOPELESS * reference) running.set(name, { plan, repeats, samples: [] });
      } catch (error) {
        if (want === undefined || !(error instanceof HypergradError)) throw error;
        found.set(name, { failure: error.message.split('\n', 1)[0]! });
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { plan, repeats, samples } of running.values()) {
        samples.push(await sample(device, plan, repeats));
      }
    }
    for (const [name, { samples }] of running) {
      if (samples.length > 0) found.set(name, { seconds: median(samples) / 1000 });
    }
    return found;
  } finally {
    for (const plan of plans) plan.release();
    for (const { buffer } of Object.values(inputs)) device.releaseBuffer(buffer);
  }
}
