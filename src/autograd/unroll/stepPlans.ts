/**
 * The compiled inner step, in the two forms that the memory modes need: recomputing, where the way back starts from θ_n
 * and computes the step again; and keeping, where the way forward leaves its intermediates behind and the way back reads
 * them. Both are parts of one tape.
 */
import type { Device } from '../../gpu/device.js';
import { allocateRange, type BufferRange, BYTES } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { splitTape } from '../splitTape.js';
import { sizeOf, type Tape } from '../tape.js';
import { selectOutputs } from '../tapeTransforms.js';
import type { Ranges } from './sharedMemory.js';
import {
  forwardOutputs,
  onTape,
  reverseOutputs,
  type StepDescription,
  stateTypes,
  stepTape,
} from './tapes.js';

/** The plans of one step for one batch size. */
export interface StepPlans {
  readonly forward: Plan;
  readonly reverse: Plan;
  /** Where the forward plan leaves, and the reverse plan finds, the step's intermediates; null where it recomputes. */
  readonly kept: BufferRange | null;
}

export interface StepCompiler {
  readonly device: Device;
  readonly description: StepDescription;
  readonly shared: Ranges;
  /** Names of `wrt` whose own part at each step is read. */
  readonly observed: readonly string[];
}

const compileForward = (
  { device, description, shared }: StepCompiler,
  tape: Tape,
  label: string,
  outputs: Ranges = {},
): Promise<Plan> =>
  compile(tape, device, {
    label,
    inputs: shared,
    outputs,
    carry: Object.fromEntries(
      Object.keys(stateTypes(description)).map((name) => [onTape.nextState(name), onTape.state(name)]),
    ),
  });

const compileReverse = (
  { device, shared }: StepCompiler,
  tape: Tape,
  label: string,
  kept: Ranges = {},
): Promise<Plan> => {
  const sums = Object.keys(tape.outputs).filter((name) => Object.hasOwn(tape.inputs, name));
  return compile(tape, device, {
    label,
    inputs: { ...shared, ...kept },
    overwrite: sums.filter((name) => name.startsWith(onTape.gradient(''))),
    carry: Object.fromEntries(sums.map((name) => [name, name])),
  });
};

/** A step whose way back starts from θ_n. */
export async function compileRecomputing(compiler: StepCompiler, batchSize: number): Promise<StepPlans> {
  const { description, observed } = compiler;
  const tape = stepTape(description, batchSize);
  const forward = selectOutputs(tape, forwardOutputs(description));
  const reverse = selectOutputs(tape, reverseOutputs(description, observed));
  return {
    forward: await compileForward(compiler, forward, `innerStep${batchSize}`),
    reverse: await compileReverse(compiler, reverse, `reverseStep${batchSize}`),
    kept: null,
  };
}

/** A step whose way forward keeps what its way back reads. */
export async function compileKeeping(compiler: StepCompiler, batchSize: number): Promise<StepPlans> {
  const { description, observed, device } = compiler;
  const tape = stepTape(description, batchSize);
  const lateInputs = Object.keys(tape.inputs).filter(
    (name) => name.startsWith(onTape.adjoint('')) || name.startsWith(onTape.gradient('')),
  );
  const wanted = [...forwardOutputs(description), ...reverseOutputs(description, observed)];
  const { early, late, saved } = splitTape(tape, lateInputs, wanted);

  const alignment = device.limits.minStorageBufferOffsetAlignment;
  const places: Record<string, { offset: number; bytes: number }> = {};
  let total = 0;
  for (const name of saved) {
    const bytes = sizeOf(early.operations[early.outputs[name]!]!.type.shape) * BYTES;
    places[name] = { offset: total, bytes };
    total += Math.ceil(bytes / alignment) * alignment;
  }
  const kept = allocateRange(device, total / BYTES, `unroll.kept${batchSize}`);
  const ranges = Object.fromEntries(
    Object.entries(places).map(([name, place]) => [name, { buffer: kept.buffer, ...place }]),
  );
  return {
    forward: await compileForward(compiler, early, `keepingStep${batchSize}`, ranges),
    reverse: await compileReverse(compiler, late, `reverseKept${batchSize}`, ranges),
    kept,
  };
}

export function stepMemory({ forward, reverse, kept }: StepPlans): number {
  return forward.memory + reverse.memory + (kept?.buffer.size ?? 0);
}

export function releaseStep(device: Device, { forward, reverse, kept }: StepPlans): void {
  forward.release();
  reverse.release();
  if (kept !== null) device.releaseBuffer(kept.buffer);
}
