/**
 * A compiled tape on a device: pipelines, bind groups and one arena, all made ahead. Replaying a plan allocates
 * nothing and creates nothing; it only encodes dispatches.
 */
import { ShapeError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { encodePass, type PreparedDispatch } from '../../gpu/dispatch.js';
import type { DispatchWork } from '../../gpu/profiler.js';
import { fitTuning, type Tuning } from '../../kernels/catalogue.js';
import { tuningOf } from '../../kernels/deviceTuning.js';
import { locate, operationSentence } from '../origin.js';
import { type DataType, sizeOf, type Tape, typeText } from '../tape.js';
import { type BufferRange, BYTES, copyRange, type Numbers } from './bufferRange.js';
import { describeParts, type PlanDescription, type PlanParts, type PlanStep } from './describe.js';
import { requireTensorsFit } from './limits.js';
import { lowerTape, type Target } from './lower.js';
import { placeStays } from './place.js';
import type { Range } from './range.js';
import { requireOptions } from './requireOptions.js';

/** How a tape is compiled. */
export interface CompileOptions {
  /** Name of the plan in messages and profiles. */
  readonly label?: string;
  /**
   * Buffers that hold an input already, shared with other plans; the plan makes its own for the rest. Names that the tape does
   * not have are left alone, so that plans of several tapes can be given the same.
   */
  readonly inputs?: Readonly<Record<string, BufferRange>>;
  /** Memory that outputs are left in, each of the output's size; the plan keeps the rest in its own arena. */
  readonly outputs?: Readonly<Record<string, BufferRange>>;
  /** Inputs that an in-place operation may change, such as an accumulator. */
  readonly overwrite?: readonly string[];
  /** Output → input of the same type: copied after every replay, all at once, so that the next one goes on from there. */
  readonly carry?: Readonly<Record<string, string>>;
  /** @internal Block sizes to compile with instead of the device's own; what `tune` measures with. */
  readonly tuning?: Tuning;
}

/** What a device allows, and the block sizes that its kernels get. */
export function targetOf(device: Device, tuning: Tuning = tuningOf(device)): Target {
  const { limits } = device;
  return {
    tuning: fitTuning(tuning, limits),
    lanes: device.lanes,
    maximumBindings: limits.maxStorageBuffersPerShaderStage,
    alignment: limits.minStorageBufferOffsetAlignment,
    maximumWorkgroups: limits.maxComputeWorkgroupsPerDimension,
  };
}

/** Owns the memory of one compiled tape. Make it with `compile`; give it back with `release`. */
export class Plan {
  /** Where each input lies; `write` fills it. */
  readonly inputs: Readonly<Record<string, BufferRange>>;
  /** Where each output lies after a replay. */
  readonly outputs: Readonly<Record<string, BufferRange>>;
  /** Number of dispatches of one replay. */
  readonly dispatchCount: number;
  /** Bytes of device memory that this plan owns. */
  readonly memory: number;
  readonly #device: Device;
  readonly #tape: Tape;
  readonly #dispatches: readonly PreparedDispatch[];
  readonly #owned: readonly GPUBuffer[];
  readonly #described: PlanParts;
  readonly #carry: readonly (readonly [from: BufferRange, to: BufferRange])[];
  /** Inputs of this plan's own that nobody has written yet. */
  readonly #unwritten: Set<string>;
  /** What each dispatch does; made when a profile is first taken. */
  #works: readonly DispatchWork[] | null = null;

  /** @internal Made by `compile`. */
  constructor(
    device: Device,
    tape: Tape,
    parts: {
      readonly inputs: Readonly<Record<string, BufferRange>>;
      readonly outputs: Readonly<Record<string, BufferRange>>;
      readonly dispatches: readonly PreparedDispatch[];
      readonly owned: readonly GPUBuffer[];
      readonly carry: Readonly<Record<string, string>>;
      readonly shared: readonly string[];
      readonly described: PlanParts;
    },
  ) {
    this.#device = device;
    this.#tape = tape;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.#dispatches = parts.dispatches;
    this.#owned = parts.owned;
    this.#described = parts.described;
    this.#carry = Object.entries(parts.carry).map(([output, input]) => [
      parts.outputs[output]!,
      parts.inputs[input]!,
    ]);
    this.#unwritten = new Set(Object.keys(parts.inputs).filter((name) => !parts.shared.includes(name)));
    this.dispatchCount = parts.dispatches.length;
    this.memory = parts.owned.reduce((total, buffer) => total + buffer.size, 0);
  }

  /**
   * Writes an input from host memory.
   *
   * @throws ShapeError when there is no such input, or the count or type of the numbers does not fit.
   */
  write(name: string, data: Numbers): void {
    const range = this.inputs[name];
    const id = this.#tape.inputs[name];
    if (range === undefined || id === undefined) {
      throw new ShapeError(
        `There is no input '${name}'; the inputs are ${Object.keys(this.inputs).join(', ')}.`,
      );
    }
    const { type } = this.#tape.operations[id]!;
    const { shape, dataType } = type;
    if (data.length !== sizeOf(shape) || dataTypeOf(data) !== dataType) {
      throw new ShapeError(
        `Input '${name}' is ${typeText(type)}, ${sizeOf(shape)} numbers; ` +
          `${data.length} of ${dataTypeOf(data)} were given.`,
      );
    }
    this.#device.write(range.buffer, data, range.offset);
    this.#unwritten.delete(name);
  }

  /** @throws ShapeError when one of this plan's own inputs was never written. */
  requireWritten(): void {
    if (this.#unwritten.size > 0) {
      throw new ShapeError(
        `These inputs were never written: ${[...this.#unwritten].join(', ')}. Write them, or pass them to run.`,
      );
    }
  }

  /**
   * Appends every dispatch, in one compute pass, and the copies of what is carried over. While a profile is taken, each
   * dispatch has a pass of its own.
   */
  encode(encoder: GPUCommandEncoder): void {
    const { profiler } = this.#device;
    if (profiler === null) encodePass(encoder, this.#dispatches);
    else {
      this.#works ??= this.describe().steps.map(workOf);
      profiler.encode(encoder, this.#dispatches, this.#works);
    }
    for (const [from, to] of this.#carry) if (!isSameRange(from, to)) copyRange(encoder, from, to);
  }

  /** Submits one replay. */
  submit(): void {
    this.#device.submit((encoder) => this.encode(encoder));
  }

  /**
   * Reads an f32 output of the last replay. Waits for the device.
   *
   * @throws ShapeError when there is no such output, or it holds whole numbers.
   */
  async read(name: string): Promise<Float32Array> {
    return new Float32Array(await this.#readAs(name, 'f32'));
  }

  /**
   * Reads an i32 output of the last replay. Waits for the device.
   *
   * @throws ShapeError when there is no such output, or it is f32.
   */
  async readIntegers(name: string): Promise<Int32Array> {
    return new Int32Array(await this.#readAs(name, 'i32'));
  }

  /**
   * Writes the inputs, replays once, and reads every output: an Int32Array where it is i32, else a Float32Array. An input
   * that is left out keeps what it held.
   *
   * @throws ShapeError when an input was never written.
   */
  async run(inputs: Readonly<Record<string, Numbers>>): Promise<Record<string, Numbers>> {
    for (const [name, data] of Object.entries(inputs)) this.write(name, data);
    this.requireWritten();
    this.submit();
    const names = Object.keys(this.outputs);
    const values = await Promise.all(
      names.map((name) => (this.#outputType(name) === 'i32' ? this.readIntegers(name) : this.read(name))),
    );
    return Object.fromEntries(names.map((name, k) => [name, values[k]!]));
  }

  /** The tape that it computes. */
  get tape(): Tape {
    return this.#tape;
  }

  /** What the plan runs, in which order, and who lies where in its memory; `print` makes text of it. */
  describe(): PlanDescription {
    return describeParts(this.#described);
  }

  #outputType(name: string): DataType | undefined {
    const id = this.#tape.outputs[name];
    return id === undefined ? undefined : this.#tape.operations[id]!.type.dataType;
  }

  async #readAs(name: string, dataType: DataType): Promise<ArrayBuffer> {
    const range = this.outputs[name];
    const held = this.#outputType(name);
    if (range === undefined || held === undefined) {
      throw new ShapeError(
        `There is no output '${name}'; the outputs are ${Object.keys(this.outputs).join(', ')}.`,
      );
    }
    if (held !== dataType) {
      throw new ShapeError(
        `Output '${name}' is ${held}; read it with ${held === 'i32' ? 'readIntegers' : 'read'}.`,
      );
    }
    return await this.#device.read(range.buffer, range.offset, range.bytes);
  }

  /** Gives the plan's memory back to the device's pool. The plan is not used afterwards. */
  release(): void {
    for (const buffer of this.#owned) this.#device.releaseBuffer(buffer);
  }
}

/** An operation in place leaves its output where its input was. */
const isSameRange = (a: BufferRange, b: BufferRange): boolean =>
  a.buffer === b.buffer && a.offset === b.offset;

function workOf(step: PlanStep): DispatchWork {
  const { kernel, operation, fused, bytesRead, bytesWritten, floatingPointOperations } = step;
  return {
    kernel,
    operation: operation.name,
    shape: typeText(operation.type),
    fused: fused.map(({ name }) => name),
    bytesRead,
    bytesWritten,
    floatingPointOperations,
  };
}

function dataTypeOf(data: Numbers): DataType {
  return data instanceof Int32Array ? 'i32' : 'f32';
}

/**
 * Compiles a tape for a device.
 *
 * @throws ShapeError when an option names what the tape does not have, or does not fit it.
 * @throws DeviceError when a kernel does not compile or a tensor is larger than the device allows.
 */
export async function compile(tape: Tape, device: Device, options: CompileOptions = {}): Promise<Plan> {
  requireOptions(tape, options);
  const { limits, largestBuffer } = device;
  const lowered = lowerTape(tape, targetOf(device, options.tuning), {
    overwrite: options.overwrite ?? [],
    preset: Object.keys(options.outputs ?? {}),
    carry: options.carry ?? {},
  });
  const label = options.label ?? 'plan';
  requireTensorsFit(tape, lowered, largestBuffer);
  const placement = placeStays(lowered.stays, limits.minStorageBufferOffsetAlignment, largestBuffer);
  // Pipelines first: a kernel that is refused then leaves no memory behind.
  const pipelines = await Promise.all(
    lowered.dispatches.map(({ kernel, operation, line, code }) =>
      device.computePipeline(code, `${kernel} (${operation})`).catch((error) => {
        throw locate(error, operationSentence('compiling', tape.operations[line]!));
      }),
    ),
  );
  const owned: GPUBuffer[] = [];
  const own = (bytes: number, name: string): GPUBuffer => {
    try {
      const buffer = device.acquireBuffer(bytes, `${label}.${name}`);
      owned.push(buffer);
      return buffer;
    } catch (error) {
      for (const buffer of owned) device.releaseBuffer(buffer);
      throw error;
    }
  };

  const arena = placement.bufferBytes.map((bytes, index) => own(bytes, `arena${index}`));
  const inputs = Object.fromEntries(
    Object.entries(tape.inputs).map(([name, id]) => {
      const bytes = sizeOf(tape.operations[id]!.type.shape) * BYTES;
      return [name, options.inputs?.[name] ?? { buffer: own(bytes, name), offset: 0, bytes }];
    }),
  );
  const resolve = (range: Range): BufferRange => {
    if ('input' in range) {
      const { buffer, offset } = inputs[range.input]!;
      return { buffer, offset: offset + range.offset, bytes: range.bytes };
    }
    if ('output' in range) {
      const { buffer, offset } = options.outputs![range.output]!;
      return { buffer, offset: offset + range.offset, bytes: range.bytes };
    }
    const place = placement.places[range.stay]!;
    return { buffer: arena[place.buffer]!, offset: place.offset + range.offset, bytes: range.bytes };
  };

  const dispatches = lowered.dispatches.map(({ kernel, operation, ranges, workgroups }, k) => {
    const pipeline = pipelines[k]!;
    const bindGroup = device.gpu.createBindGroup({
      label: `${label}: ${kernel} (${operation})`,
      layout: pipeline.getBindGroupLayout(0),
      entries: ranges.map((range, binding) => {
        const { buffer, offset, bytes } = resolve(range);
        return { binding, resource: { buffer, offset, size: bytes } };
      }),
    });
    return { pipeline, bindGroup, workgroups };
  });
  const outputs = Object.fromEntries(
    Object.entries(lowered.outputs).map(([name, range]) => [name, resolve(range)]),
  );
  const shared = Object.keys(options.inputs ?? {});
  return new Plan(device, tape, {
    inputs,
    outputs,
    dispatches,
    owned,
    carry: options.carry ?? {},
    shared,
    described: { label, tape, lowered, placement, shared },
  });
}
