/**
 * From a tape to a list of dispatches over named storage: views resolved, chains fused, each remaining operation
 * lowered to its kernels, scratch space and lifetimes noted. Nothing here touches a device.
 */
import { type KernelName, kernelCode, type Tuning } from '../../kernels/catalogue.js';
import { countOperations } from '../../kernels/operationCounts.js';
import type { Definitions } from '../../kernels/template.js';
import type { Lowering, Storage } from '../operation.js';
import { definitionOf } from '../ops/index.js';
import { locate, operationSentence } from '../origin.js';
import { type Operation, sizeOf, type Tape } from '../tape.js';
import { BYTES } from './bufferRange.js';
import { fusedInto } from './fuse.js';
import { type ChainContext, lowerElementwise, lowerReduction } from './lowerChains.js';
import { type JointOperands, launchChannelSums, lowerRowProgram } from './lowerRowProgram.js';
import type { Stay } from './place.js';
import { isSumOverImages, operandsOf, type RowGroup, storedOf } from './rowGroups.js';
import { type Schedule, scheduleTape } from './schedule.js';

/** A range of memory: of a plan's input or preset output, or of a tensor in the arena. Offsets and sizes in bytes. */
export type Range = Extent &
  ({ readonly input: string } | { readonly output: string } | { readonly stay: number });

interface Extent {
  readonly offset: number;
  readonly bytes: number;
  /** How many of the bytes are read, where tensors are bound together with what lies between them. */
  readonly used?: number;
}

export interface Dispatch {
  readonly kernel: KernelName;
  /** The tape operation that it works for, for messages and profiles. */
  readonly operation: string;
  /** That operation's line on the tape. */
  readonly line: number;
  /** Lines that it computes besides, where it is not the chain that ends in its line. */
  readonly fused?: readonly number[] | undefined;
  readonly code: string;
  readonly ranges: readonly Range[];
  readonly workgroups: readonly [number, number];
  readonly floatingPointOperations: number;
}

/** A tensor of the arena: the tape line whose value or scratch space it is. */
export interface TensorStay extends Stay {
  readonly line: number;
  readonly use: 'value' | 'scratch';
}

export interface LoweredTape {
  readonly dispatches: readonly Dispatch[];
  readonly stays: readonly TensorStay[];
  /** Lines that are computed inside their consumers' kernels and have no memory of their own. */
  readonly inlined: ReadonlySet<number>;
  readonly outputs: Readonly<Record<string, Range>>;
}

/** What the target device allows. */
export interface Target {
  readonly tuning: Tuning;
  readonly maximumBindings: number;
  /** Bytes; a binding's start is a multiple of it. */
  readonly alignment: number;
  readonly maximumWorkgroups: number;
}

/** Memory that the caller owns, by name. */
export interface CallersMemory {
  /** Inputs whose memory an in-place operation may change; its output is then found there. */
  readonly overwrite?: readonly string[];
  /** Outputs that are left in memory of the caller's. */
  readonly preset?: readonly string[];
}

export function lowerTape(tape: Tape, target: Target, memory: CallersMemory = {}): LoweredTape {
  const builder = new LoweringBuilder(tape, target, memory);
  builder.lowerAll();
  return builder.finish();
}

class LoweringBuilder implements Lowering {
  readonly #tape: Tape;
  readonly #target: Target;
  readonly #overwrite: ReadonlySet<string>;
  readonly #preset: ReadonlyMap<string, number>;
  readonly #schedule: Schedule;
  readonly #inputNames: ReadonlyMap<number, string>;
  readonly #values = new Map<number, Range>();
  readonly #scratch: Range[] = [];
  readonly #dispatches: Dispatch[] = [];
  readonly #stays: (TensorStay & { last: number })[] = [];
  #current!: Operation;
  #fused: readonly number[] | undefined;

  constructor(tape: Tape, target: Target, { overwrite = [], preset = [] }: CallersMemory) {
    this.#tape = tape;
    this.#target = target;
    this.#overwrite = new Set(overwrite);
    this.#preset = new Map(preset.map((name) => [name, tape.outputs[name]!]));
    this.#schedule = scheduleTape(tape, target);
    this.#inputNames = new Map(Object.entries(tape.inputs).map(([name, id]) => [id, name]));
  }

  get tuning(): Tuning {
    return this.#target.tuning;
  }

  get maximumBindings(): number {
    return this.#target.maximumBindings;
  }

  lowerAll(): void {
    for (const unit of this.#schedule.units) {
      try {
        if ('line' in unit) this.#lower(this.#tape.operations[unit.line]!);
        else this.#lowerGroup(unit.group);
      } catch (error) {
        throw locate(error, operationSentence('lowering', this.#current));
      }
    }
  }

  #context(): ChainContext {
    return {
      tape: this.#tape,
      inlined: this.#schedule.use.inlined,
      lowering: this,
      storage: (value: number): Storage => ({ value }),
    };
  }

  /** One row program for all members, told under the name of the last. */
  #lowerGroup({ geometry, members }: RowGroup): void {
    const isSummed = (line: number): boolean => isSumOverImages(this.#tape.operations[line]!, this.#tape);
    const stored = storedOf(this.#schedule.use, members);
    for (const line of stored) {
      this.#current = this.#tape.operations[line]!;
      const bytes = sizeOf(this.#current.type.shape) * BYTES;
      this.#values.set(line, this.#presetRange(line, bytes) ?? this.#newStay(bytes));
    }
    const program = {
      geometry,
      members,
      operands: this.#bindJointly(operandsOf(this.#schedule.use, members)),
      stored: stored.filter((line) => !isSummed(line)),
    };
    this.#current = this.#tape.operations[members.at(-1)!]!;
    this.#fused = fusedInto(this.#tape, this.#schedule.use.inlined, members);
    const shares = lowerRowProgram(this.#context(), program, stored.filter(isSummed));
    this.#fused = [];
    if (shares !== null) {
      this.#current = this.#tape.operations[shares.lines.at(-1)!]!;
      launchChannelSums(this, geometry, shares);
    }
    this.#fused = undefined;
  }

  /** One binding for all tensors that lie in one piece of memory, such as a layer's parameters. */
  #bindJointly(lines: readonly number[]): JointOperands[] {
    const pieces: { range: Range; lines: number[] }[] = [];
    for (const line of lines) {
      const range = this.#values.get(line)!;
      const piece = pieces.find((other) => sameRoot(other.range, range));
      if (piece === undefined) {
        pieces.push({ range, lines: [line] });
        continue;
      }
      const { offset, bytes, used = bytes } = piece.range;
      const first = Math.min(offset, range.offset);
      const end = Math.max(offset + bytes, range.offset + range.bytes);
      piece.range = {
        ...range,
        offset: first,
        bytes: end - first,
        used: Math.min(used + range.bytes, end - first),
      };
      piece.lines.push(line);
    }
    return pieces.map(({ range, lines }) => {
      const starts = lines.map((line) => (this.#values.get(line)!.offset - range.offset) / BYTES);
      const scratch = this.#scratch.push(range) - 1;
      return {
        storage: { scratch },
        elements: range.bytes / BYTES,
        starts: new Map(lines.map((line, k) => [line, starts[k]!])),
      };
    });
  }

  #lower(operation: Operation): void {
    const { id, name, type } = operation;
    const bytes = sizeOf(type.shape) * BYTES;
    this.#current = operation;
    if (name === 'input') {
      this.#values.set(id, { input: this.#inputNames.get(id)!, offset: 0, bytes });
      return;
    }
    const definition = definitionOf(name);
    if (definition.view !== undefined) {
      this.#lowerView(operation, definition.view(operation.attributes) * BYTES, bytes);
      return;
    }
    if (definition.inPlace !== undefined) this.#reuse(operation, definition.inPlace, bytes);
    else this.#values.set(id, this.#presetRange(id, bytes) ?? this.#newStay(bytes));

    if (definition.elementwise !== undefined) lowerElementwise(this.#context(), operation);
    else if (definition.reduction) lowerReduction(this.#context(), operation);
    else {
      definition.lower!(this, {
        attributes: operation.attributes,
        inputs: operation.inputs.map((value) => ({ value })),
        inputTypes: operation.inputs.map((input) => this.#tape.operations[input]!.type),
        output: { value: id },
        type,
      });
    }
  }

  scratch(elements: number): Storage {
    this.#scratch.push(this.#newStay(elements * BYTES, 'scratch'));
    return { scratch: this.#scratch.length - 1 };
  }

  launch(
    kernel: KernelName,
    definitions: Definitions,
    buffers: readonly Storage[],
    invocations: number,
  ): void {
    const WORKGROUP = this.tuning.workgroup[kernel];
    const ranges: Range[] = [];
    for (const buffer of buffers) {
      const range = this.#rangeOf(buffer);
      // Two writable bindings must not overlap, so a tensor used twice is bound once and copied once.
      ranges.push(ranges.some((other) => overlaps(other, range)) ? this.#copy(range) : range);
    }
    for (const range of ranges) this.#touch(range);
    const count = Math.ceil(invocations / WORKGROUP);
    const columns = Math.min(count, this.#target.maximumWorkgroups);
    this.#dispatches.push({
      kernel,
      operation: this.#current.name,
      line: this.#current.id,
      fused: this.#fused,
      code: kernelCode(kernel, { ...definitions, WORKGROUP }),
      ranges,
      workgroups: [columns, Math.ceil(count / columns)],
      floatingPointOperations: countOperations(kernel, definitions),
    });
  }

  finish(): LoweredTape {
    for (const [name, id] of this.#preset) {
      this.#current = this.#tape.operations[id]!;
      const range = this.#values.get(id)!;
      if ('output' in range && range.output === name) continue;
      this.#launchRangeCopy(range, { output: name, offset: 0, bytes: range.bytes });
    }
    const end = this.#dispatches.length;
    const outputs = Object.entries(this.#tape.outputs).map(([name, id]) => {
      const range = this.#values.get(id)!;
      if ('stay' in range) this.#stays[range.stay]!.last = end;
      const found = this.#preset.has(name) ? { output: name, offset: 0, bytes: range.bytes } : range;
      return [name, found] as const;
    });
    return {
      dispatches: this.#dispatches,
      stays: this.#stays,
      inlined: this.#schedule.use.inlined,
      outputs: Object.fromEntries(outputs),
    };
  }

  /** The caller's memory for a value that is one of the preset outputs. */
  #presetRange(id: number, bytes: number): Range | undefined {
    for (const [name, output] of this.#preset) if (output === id) return { output: name, offset: 0, bytes };
    return undefined;
  }

  #lowerView({ id, inputs }: Operation, offset: number, bytes: number): void {
    const source = this.#values.get(inputs[0]!)!;
    const start = source.offset + offset;
    if (start % this.#target.alignment === 0) {
      this.#values.set(id, { ...source, offset: start, bytes });
      return;
    }
    const copy = this.#newStay(bytes);
    this.#values.set(id, copy);
    this.#launchCopy({ value: inputs[0]! }, offset / BYTES, { value: id }, bytes / BYTES);
  }

  /** The output takes over an operand's memory, if nobody needs the operand afterwards; else works on a copy. */
  #reuse(operation: Operation, operand: number, bytes: number): void {
    const input = operation.inputs[operand]!;
    const range = this.#values.get(input)!;
    const isReadBesides = operation.inputs.some(
      (other, k) => k !== operand && sameRoot(this.#values.get(other)!, range),
    );
    const isFree =
      !isReadBesides &&
      this.#isLastUse(input, this.#schedule.times.get(operation.id)!) &&
      (!('input' in range) || this.#overwrite.has(range.input));
    if (isFree) {
      this.#values.set(operation.id, range);
      return;
    }
    this.#values.set(operation.id, this.#newStay(bytes));
    this.#launchCopy({ value: input }, 0, { value: operation.id }, bytes / BYTES);
  }

  /** Whether no later operation reads this value's memory, under its own name or as a view. */
  #isLastUse(id: number, time: number): boolean {
    const range = this.#values.get(id)!;
    for (const [value, other] of this.#values) {
      if (sameRoot(range, other) && (this.#schedule.lastUse.get(value) ?? -1) > time) return false;
    }
    return true;
  }

  #copy(range: Range): Range {
    const target = this.#newStay(range.bytes, 'scratch');
    this.#launchRangeCopy(range, target);
    return target;
  }

  #launchRangeCopy(from: Range, to: Range): void {
    const first = this.#scratch.push(from, to) - 2;
    this.#launchCopy({ scratch: first }, 0, { scratch: first + 1 }, from.bytes / BYTES);
  }

  #launchCopy(from: Storage, offset: number, to: Storage, elements: number): void {
    const ITEMS = this.tuning.copyItems;
    const definitions = { COUNT: elements, OFFSET: offset, ITEMS };
    this.launch('copy', definitions, [from, to], Math.ceil(elements / ITEMS));
  }

  #rangeOf(storage: Storage): Range {
    return 'value' in storage ? this.#values.get(storage.value)! : this.#scratch[storage.scratch]!;
  }

  #newStay(bytes: number, use: TensorStay['use'] = 'value'): Range {
    const first = this.#dispatches.length;
    this.#stays.push({ bytes, first, last: first, line: this.#current.id, use });
    return { stay: this.#stays.length - 1, offset: 0, bytes };
  }

  #touch(range: Range): void {
    if ('stay' in range) {
      const stay = this.#stays[range.stay]!;
      stay.last = Math.max(stay.last, this.#dispatches.length);
    }
  }
}

function sameRoot(a: Range, b: Range): boolean {
  if ('stay' in a) return 'stay' in b && a.stay === b.stay;
  if ('output' in a) return 'output' in b && a.output === b.output;
  return 'input' in b && a.input === b.input;
}

function overlaps(a: Range, b: Range): boolean {
  return sameRoot(a, b) && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}
