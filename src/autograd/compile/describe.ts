/** A plan as data: what runs in which order, which operations each dispatch computes, and who lies where in memory. */
import { bindingAccess } from '../../kernels/bindings.js';
import type { KernelName } from '../../kernels/catalogue.js';
import type { Origin } from '../origin.js';
import { sizeOf, type Tape, type TensorType } from '../tape.js';
import { BYTES } from './bufferRange.js';
import { fusedInto } from './fuse.js';
import type { LoweredTape } from './lower.js';
import type { Placement } from './place.js';
import type { Range } from './range.js';

/** A tape's line, as a plan names it. */
export interface PlannedOperation {
  /** Number of the line on the tape. */
  readonly line: number;
  /** Name of the operation. */
  readonly name: string;
  /** What it computes. */
  readonly type: TensorType;
  /** Where the user's code traced it. */
  readonly origin?: Origin;
}

/** One dispatch of a plan. */
export interface PlanStep {
  /** Place in the order of dispatches, from 0. */
  readonly step: number;
  /** Which kernel runs. */
  readonly kernel: KernelName;
  /** The operation that the dispatch works for; one operation may take several dispatches. */
  readonly operation: PlannedOperation;
  /**
   * Operations computed inside this dispatch besides, in the tape's order; in a row program some of them leave their result in
   * memory too.
   */
  readonly fused: readonly PlannedOperation[];
  /** Workgroups in the two dimensions of the dispatch. */
  readonly workgroups: readonly [x: number, y: number];
  /** Bytes of the tensors that the kernel reads, each counted once however often it is read. */
  readonly bytesRead: number;
  /** Bytes of the tensors that the kernel writes. */
  readonly bytesWritten: number;
  /** Multiplications, additions and functions, counted as `2·M·N·K` and the like; 0 for what moves or draws numbers. */
  readonly floatingPointOperations: number;
}

/** A tensor's place and time in the arena. */
export interface ArenaTensor {
  /** The operation whose result or scratch space it is. */
  readonly operation: PlannedOperation;
  /** Whether it is the result itself or scratch space. */
  readonly use: 'value' | 'scratch';
  /** Which of the arena's buffers. */
  readonly buffer: number;
  /** First byte in that buffer. */
  readonly offset: number;
  /** Its size. */
  readonly bytes: number;
  /** The first step that needs it. */
  readonly first: number;
  /** The last step that needs it; an output's is one past the last dispatch. */
  readonly last: number;
}

/** An input or output of a plan. */
export interface PlanPort {
  /** Its name on the tape. */
  readonly name: string;
  /** Type of its elements, and shape. */
  readonly type: TensorType;
  /** Its size. */
  readonly bytes: number;
  /**
   * Where it lies: a buffer of its own or another's (inputs), the caller's buffer (outputs), part of an input, or
   * `arena0+512`.
   */
  readonly place: string;
}

/** Sums over a plan. All in bytes but for the counts. */
export interface PlanTotals {
  /** Number of dispatches. */
  readonly dispatches: number;
  /** Operations of the tape, inputs left out. */
  readonly operations: number;
  /** Sum over the steps of what each reads. */
  readonly bytesRead: number;
  /** Sum over the steps of what each writes. */
  readonly bytesWritten: number;
  /** The arena's buffers together. */
  readonly arenaBytes: number;
  /** What all tensors of the arena would take side by side. */
  readonly tensorBytes: number;
  /** Most bytes of the arena that are needed at one step. */
  readonly peakBytes: number;
  /** The first step that needs so many. */
  readonly peakStep: number;
  /** Inputs in buffers of the plan's own. */
  readonly inputBytes: number;
  /** Inputs in buffers that are shared with others. */
  readonly sharedInputBytes: number;
}

/** A plan as plain data; `print` makes text of it. */
export interface PlanDescription {
  /** Name of the plan, as it was given to `compile`. */
  readonly label: string;
  /** What is written before a replay. */
  readonly inputs: readonly PlanPort[];
  /** What is read after one. */
  readonly outputs: readonly PlanPort[];
  /** The dispatches in order. */
  readonly steps: readonly PlanStep[];
  /** The arena's tensors, in the order of buffer, offset and first step. */
  readonly tensors: readonly ArenaTensor[];
  /** Bytes of each of the arena's buffers. */
  readonly arena: readonly number[];
  /** Sums over all of it. */
  readonly totals: PlanTotals;
}

/** What a description is made from. */
export interface PlanParts {
  readonly label: string;
  readonly tape: Tape;
  readonly lowered: LoweredTape;
  readonly placement: Placement;
  /** Names of inputs that lie in buffers of others. */
  readonly shared: readonly string[];
}

/** Describes a lowered and placed tape. Pure: no device is asked. */
export function describeParts({ label, tape, lowered, placement, shared }: PlanParts): PlanDescription {
  const operationAt = (line: number): PlannedOperation => {
    const { name, type, origin } = tape.operations[line]!;
    return { line, name, type, ...(origin === undefined ? {} : { origin }) };
  };
  const begun = new Set<number>();
  const steps = lowered.dispatches.map((dispatch, step): PlanStep => {
    const { kernel, line, fused, code, ranges, workgroups, floatingPointOperations } = dispatch;
    // A chain is computed in the operation's first pass; the copies before it and the passes after it hold none.
    const holdsChain = kernel !== 'copy' && !begun.has(line);
    if (holdsChain) begun.add(line);
    const access = bindingAccess(code);
    const bytesWhere = (unwanted: string): number =>
      ranges.reduce(
        (total, { bytes, used = bytes }, k) => (access[k] === unwanted ? total : total + used),
        0,
      );
    return {
      step,
      kernel,
      operation: operationAt(line),
      fused: (fused ?? (holdsChain ? fusedInto(tape, lowered.inlined, [line]) : [])).map(operationAt),
      workgroups,
      bytesRead: bytesWhere('write'),
      bytesWritten: bytesWhere('read'),
      floatingPointOperations,
    };
  });
  const tensors = lowered.stays
    .map(
      ({ line, use, bytes, first, last }, k): ArenaTensor => ({
        operation: operationAt(line),
        use,
        ...placement.places[k]!,
        bytes,
        first,
        last,
      }),
    )
    .sort((a, b) => a.buffer - b.buffer || a.offset - b.offset || a.first - b.first);

  const placeOf = (range: Range): string => {
    if ('stay' in range) {
      const { buffer, offset } = placement.places[range.stay]!;
      return `arena${buffer}+${offset + range.offset}`;
    }
    const after = range.offset === 0 ? '' : `+${range.offset}`;
    return 'output' in range ? `caller's buffer${after}` : `input '${range.input}'${after}`;
  };
  const port = (name: string, line: number, place: string): PlanPort => {
    const { type } = tape.operations[line]!;
    return { name, type, bytes: sizeOf(type.shape) * BYTES, place };
  };
  const inputs = Object.entries(tape.inputs).map(([name, line]) =>
    port(name, line, shared.includes(name) ? 'shared buffer' : 'own buffer'),
  );
  const outputs = Object.entries(tape.outputs).map(([name, line]) =>
    port(name, line, placeOf(lowered.outputs[name]!)),
  );
  return {
    label,
    inputs,
    outputs,
    steps,
    tensors,
    arena: placement.bufferBytes,
    totals: {
      dispatches: steps.length,
      operations: tape.operations.filter(({ name }) => name !== 'input').length,
      bytesRead: total(steps.map(({ bytesRead }) => bytesRead)),
      bytesWritten: total(steps.map(({ bytesWritten }) => bytesWritten)),
      arenaBytes: total(placement.bufferBytes),
      tensorBytes: total(tensors.map(({ bytes }) => bytes)),
      ...peakOf(tensors, steps.length),
      inputBytes: total(inputs.filter(({ name }) => !shared.includes(name)).map(({ bytes }) => bytes)),
      sharedInputBytes: total(inputs.filter(({ name }) => shared.includes(name)).map(({ bytes }) => bytes)),
    },
  };
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

function peakOf(tensors: readonly ArenaTensor[], steps: number): { peakBytes: number; peakStep: number } {
  let peakBytes = 0;
  let peakStep = 0;
  for (let step = 0; step <= steps; step++) {
    const needed = total(
      tensors.filter(({ first, last }) => first <= step && step <= last).map(({ bytes }) => bytes),
    );
    if (needed > peakBytes) [peakBytes, peakStep] = [needed, step];
  }
  return { peakBytes, peakStep };
}
