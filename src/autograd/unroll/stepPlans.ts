/**
 * The compiled inner step, in the two forms that the memory modes need: recomputing, where the way back starts from θ_n
 * and computes the step again; and keeping, where the way forward leaves its intermediates behind and the way back reads
 * them. Both are parts of one tape.
 */
import type { Device } from '../../gpu/device.js';
import { compile, type Plan } from '../compile/plan.js';
import { splitTape } from '../splitTape.js';
import type { Tape } from '../tape.js';
import { selectOutputs } from '../tapeTransforms.js';
import { KeptStorage, type StorageFormat } from './keptStorage.js';
import { releaseOnFailure } from './releaseOnFailure.js';
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
  readonly kept: KeptStorage | null;
}

export interface StepCompiler {
  readonly device: Device;
  readonly description: StepDescription;
  readonly shared: Ranges;
  /** Names of `wrt` whose own part at each step is read. */
  readonly observed: readonly string[];
  /** How kept intermediates are stored. */
  readonly storage: StorageFormat;
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
    // A state that no step reads has no place to go on from.
    carry: Object.fromEntries(
      Object.keys(stateTypes(description))
        .filter((name) => Object.hasOwn(tape.inputs, onTape.state(name)))
        .map((name) => [onTape.nextState(name), onTape.state(name)]),
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
  return await releaseOnFailure(async (own) => ({
    forward: own(await compileForward(compiler, forward, `innerStep${batchSize}`)),
    reverse: await compileReverse(compiler, reverse, `reverseStep${batchSize}`),
    kept: null,
  }));
}

/** A step whose way forward keeps what its way back reads. */
export async function compileKeeping(compiler: StepCompiler, batchSize: number): Promise<StepPlans> {
  const { description, observed, device, storage } = compiler;
  const tape = stepTape(description, batchSize);
  const lateInputs = Object.keys(tape.inputs).filter(
    (name) => name.startsWith(onTape.adjoint('')) || name.startsWith(onTape.gradient('')),
  );
  const wanted = [...forwardOutputs(description), ...reverseOutputs(description, observed)];
  const { early, late, saved } = splitTape(tape, lateInputs, wanted);

  const types = Object.fromEntries(saved.map((name) => [name, early.operations[early.outputs[name]!]!.type]));
  return await releaseOnFailure(async (own) => {
    const kept = own(await KeptStorage.create(device, types, storage, `unroll.kept${batchSize}`));
    return {
      forward: own(await compileForward(compiler, early, `keepingStep${batchSize}`, kept.ranges)),
      reverse: await compileReverse(compiler, late, `reverseKept${batchSize}`, kept.ranges),
      kept,
    };
  });
}

export function stepMemory({ forward, reverse, kept }: StepPlans): number {
  return forward.memory + reverse.memory + (kept?.memory ?? 0);
}

export function releaseStep({ forward, reverse, kept }: StepPlans): void {
  forward.release();
  reverse.release();
  kept?.release();
}
