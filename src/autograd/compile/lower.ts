/**
 * From a tape to a list of dispatches over named storage: views resolved, chains fused, each remaining operation
 * lowered to its kernels, scratch space and lifetimes noted. Nothing here touches a device.
 */
import { withLengths } from '../../kernels/bindings.js';
import { type KernelName, kernelCode, type Tuning } from '../../kernels/catalogue.js';
import { countOperations } from '../../kernels/operationCounts.js';
import type { Definitions } from '../../kernels/template.js';
import type { Lowering, Storage, WorkgroupDefinitions } from '../operation.js';
import { definitionOf } from '../ops/index.js';
import { locate, operationSentence } from '../origin.js';
import { inputNamesOf, type Operation, sizeOf, type Tape } from '../tape.js';
import { BYTES } from './bufferRange.js';
import { fusedInto } from './fuse.js';
import { type ChainContext, lowerElementwise, lowerReduction } from './lowerChains.js';
import { launchChannelSums, lowerRowProgram } from './lowerRowProgram.js';
import { Memory, rowsBytes, type TensorStay } from './memory.js';
import { changedInputs, overlaps, type Range, sameRoot } from './range.js';
import { isRowResult, isSumOverImages, operandsOf, type RowGroup, storedOf } from './rowGroups.js';
import { type Schedule, scheduleTape } from './schedule.js';

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
  /** Lanes of every subgroup; 1 where the device has none, or none of one size. */
  readonly lanes: number;
}

/** Memory that the caller owns, by name. */
export interface CallersMemory {
  /** Inputs whose memory an in-place operation may change; its output is then found there. */
  readonly overwrite?: readonly string[];
  /** Outputs that are left in memory of the caller's. */
  readonly preset?: readonly string[];
  /** Output → input that it is copied to when all dispatches are done. */
  readonly carry?: Readonly<Record<string, string>>;
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
  readonly #carry: Readonly<Record<string, string>>;
  readonly #schedule: Schedule;
  readonly #inputNames: ReadonlyMap<number, string>;
  readonly #memory = new Memory();
  readonly #dispatches: Dispatch[] = [];
  #current!: Operation;
  #fused: readonly number[] | undefined;

  constructor(tape: Tape, target: Target, { overwrite = [], preset = [], carry = {} }: CallersMemory) {
    this.#tape = tape;
    this.#target = target;
    this.#overwrite = new Set(overwrite);
    this.#preset = new Map(preset.map((name) => [name, tape.outputs[name]!]));
    this.#carry = carry;
    this.#schedule = scheduleTape(tape, target);
    this.#inputNames = inputNamesOf(tape);
  }

  get tuning(): Tuning {
    return this.#target.tuning;
  }

  get maximumBindings(): number {
    return this.#target.maximumBindings;
  }

  get lanes(): number {
    const { lanes, tuning } = this.#target;
    return lanes <= tuning.sharingLanes ? lanes : 1;
  }

  get subgroupLanes(): number {
    return this.#target.lanes;
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
    const { use } = this.#schedule;
    const isSummed = (line: number): boolean => isSumOverImages(this.#tape.operations[line]!, this.#tape);
    const stored = storedOf(use, members);
    const summed = stored.filter(isSummed);
    const rowResults = stored.filter((line) => !isSummed(line) && isRowResult(this.#tape, use, line));
    const ownMemory = stored.filter((line) => !rowResults.includes(line));
    for (const line of ownMemory) {
      this.#current = this.#tape.operations[line]!;
      const bytes = sizeOf(this.#current.type.shape) * BYTES;
      this.#memory.values.set(line, this.#presetRange(line, bytes) ?? this.#newStay(bytes));
    }
    this.#current = this.#tape.operations[members.at(-1)!]!;
    const perLine = geometry.images * geometry.channels * BYTES;
    const { alignment } = this.#target;
    const rowBytes = rowsBytes(rowResults.length, summed.length, perLine, alignment);
    const rows =
      rowBytes === 0
        ? null
        : this.#memory.layRows(this.#newStay(rowBytes, 'scratch'), rowResults, summed, perLine, alignment);
    this.#fused = fusedInto(this.#tape, use.inlined, members);
    lowerRowProgram(this.#context(), {
      geometry,
      members,
      operands: this.#memory.jointly(operandsOf(use, members)),
      stored: ownMemory.filter((line) => !isSummed(line)),
      rows,
    });
    this.#fused = [];
    if (rows !== null && summed.length > 0) {
      this.#current = this.#tape.operations[summed.at(-1)!]!;
      const offset = rows.starts.get(summed[0]!)! * BYTES;
      const range = { ...this.#memory.rangeOf(rows.storage), offset, bytes: summed.length * perLine };
      launchChannelSums(this, geometry, { storage: this.#memory.name(range), lines: summed });
    }
    this.#fused = undefined;
  }

  #lower(operation: Operation): void {
    const { id, name, type } = operation;
    const bytes = sizeOf(type.shape) * BYTES;
    this.#current = operation;
    if (name === 'input') {
      this.#memory.values.set(id, { input: this.#inputNames.get(id)!, offset: 0, bytes });
      return;
    }
    const definition = definitionOf(name);
    if (definition.view !== undefined) {
      this.#lowerView(operation, definition.view(operation.attributes) * BYTES, bytes);
      return;
    }
    if (definition.inPlace !== undefined) this.#reuse(operation, definition.inPlace, bytes);
    else this.#memory.values.set(id, this.#presetRange(id, bytes) ?? this.#newStay(bytes));

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
    return this.#memory.name(this.#newStay(elements * BYTES, 'scratch'));
  }

  launch(
    kernel: KernelName,
    definitions: Definitions,
    buffers: readonly Storage[],
    invocations: number,
  ): void {
    const WORKGROUP = Number(definitions.WORKGROUP ?? this.tuning.workgroup[kernel]);
    const count = Math.ceil(invocations / WORKGROUP);
    this.launchWorkgroups(kernel, { ...definitions, WORKGROUP }, buffers, count);
  }

  launchWorkgroups(
    kernel: KernelName,
    definitions: WorkgroupDefinitions,
    buffers: readonly Storage[],
    count: number,
  ): void {
    const ranges: Range[] = [];
    for (const buffer of buffers) {
      const range = this.#memory.rangeOf(buffer);
      // Two writable bindings must not overlap, so a tensor used twice is bound once and copied once.
      ranges.push(ranges.some((other) => overlaps(other, range)) ? this.#copy(range) : range);
    }
    for (const range of ranges) this.#memory.touch(range, this.#dispatches.length);
    const columns = Math.min(count, this.#target.maximumWorkgroups);
    this.#dispatches.push({
      kernel,
      operation: this.#current.name,
      line: this.#current.id,
      fused: this.#fused,
      code: withLengths(
        kernelCode(kernel, definitions),
        ranges.map(({ bytes }) => bytes / BYTES),
      ),
      ranges,
      workgroups: [columns, Math.ceil(count / columns)],
      floatingPointOperations: countOperations(kernel, definitions),
    });
  }

  finish(): LoweredTape {
    for (const [name, id] of this.#preset) {
      this.#current = this.#tape.operations[id]!;
      const range = this.#memory.values.get(id)!;
      if ('output' in range && range.output === name) continue;
      this.#launchRangeCopy(range, { output: name, offset: 0, bytes: range.bytes });
    }
    const lines = Object.entries(this.#tape.outputs);
    const outputs = Object.fromEntries(
      lines.map(([name, id]): [string, Range] => {
        const range = this.#memory.values.get(id)!;
        return [name, this.#preset.has(name) ? { output: name, offset: 0, bytes: range.bytes } : range];
      }),
    );
    const changed = changedInputs(outputs, this.#carry);
    for (const [name, id] of lines) {
      const range = outputs[name]!;
      if (!('input' in range && changed.has(range.input))) continue;
      this.#current = this.#tape.operations[id]!;
      outputs[name] = this.#copy(range);
    }
    const end = this.#dispatches.length;
    for (const [name, id] of lines) {
      this.#memory.touch(this.#memory.values.get(id)!, end);
      this.#memory.touch(outputs[name]!, end);
    }
    return {
      dispatches: this.#dispatches,
      stays: this.#memory.stays,
      inlined: this.#schedule.use.inlined,
      outputs,
    };
  }

  /** The caller's memory for a value that is one of the preset outputs. */
  #presetRange(id: number, bytes: number): Range | undefined {
    for (const [name, output] of this.#preset) if (output === id) return { output: name, offset: 0, bytes };
    return undefined;
  }

  #lowerView({ id, inputs }: Operation, offset: number, bytes: number): void {
    const source = this.#memory.values.get(inputs[0]!)!;
    const start = source.offset + offset;
    if (start % this.#target.alignment === 0) {
      this.#memory.values.set(id, { ...source, offset: start, bytes });
      return;
    }
    const copy = this.#newStay(bytes);
    this.#memory.values.set(id, copy);
    this.#launchCopy({ value: inputs[0]! }, offset / BYTES, { value: id }, bytes / BYTES);
  }

  /** The output takes over an operand's memory, if nobody needs the operand afterwards; else works on a copy. */
  #reuse(operation: Operation, operand: number, bytes: number): void {
    const input = operation.inputs[operand]!;
    const range = this.#memory.values.get(input)!;
    const isReadBesides = operation.inputs.some(
      (other, k) => k !== operand && sameRoot(this.#memory.values.get(other)!, range),
    );
    const isFree =
      !isReadBesides &&
      this.#isLastUse(input, this.#schedule.times.get(operation.id)!) &&
      (!('input' in range) || this.#overwrite.has(range.input));
    if (isFree) {
      this.#memory.values.set(operation.id, range);
      return;
    }
    this.#memory.values.set(operation.id, this.#newStay(bytes));
    this.#launchCopy({ value: input }, 0, { value: operation.id }, bytes / BYTES);
  }

  /** Whether no later operation reads this value's memory, under its own name or as a view. */
  #isLastUse(id: number, time: number): boolean {
    const range = this.#memory.values.get(id)!;
    for (const [value, other] of this.#memory.values) {
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
    this.#launchCopy(this.#memory.name(from), 0, this.#memory.name(to), from.bytes / BYTES);
  }

  #launchCopy(from: Storage, offset: number, to: Storage, elements: number): void {
    const ITEMS = this.tuning.copyItems;
    const definitions = { COUNT: elements, OFFSET: offset, ITEMS };
    this.launch('copy', definitions, [from, to], Math.ceil(elements / ITEMS));
  }

  #newStay(bytes: number, use: TensorStay['use'] = 'value'): Range {
    return this.#memory.begin({ bytes, first: this.#dispatches.length, line: this.#current.id, use });
  }
}
