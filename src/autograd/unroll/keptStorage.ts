/**
 * How a step's intermediates wait between the ways: as they are, or rounded to 16 bits with a scale a block (ops/halves.ts).
 * The plans read and write them as float32 in one place; a slot a step holds what is stored.
 */
import { ShapeError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { wholeMultiple } from '../../kernels/catalogue.js';
import { allocateRange, type BufferRange, BYTES, copyRange } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { fromHalves, HALVES_BLOCK, halfWords, toHalves } from '../ops/halves.js';
import { f32, i32, sizeOf, type TensorType, typeText } from '../tape.js';
import { trace } from '../trace.js';
import type { Ranges } from './sharedMemory.js';

/** Number of bits that a kept intermediate takes: `float16` has a scale for each 64 numbers beside them. */
export type StorageFormat = 'float32' | 'float16';

/** Owns the memory that a step's intermediates are computed in, and what stores them. Made by `KeptStorage.create`. */
export class KeptStorage {
  /** Where each intermediate is computed and read, by name. */
  readonly ranges: Ranges;
  /** Bytes that a step's slot takes. */
  readonly slotBytes: number;
  readonly #device: Device;
  readonly #computed: BufferRange;
  readonly #halves: { readonly words: BufferRange; readonly round: Plan; readonly restore: Plan } | null;

  private constructor(
    device: Device,
    ranges: Ranges,
    computed: BufferRange,
    halves: { readonly words: BufferRange; readonly round: Plan; readonly restore: Plan } | null,
  ) {
    this.#device = device;
    this.ranges = ranges;
    this.#computed = computed;
    this.#halves = halves;
    this.slotBytes = (halves?.words ?? computed).bytes;
  }

  /**
   * @param types the intermediates that are kept, by name
   * @throws ShapeError when one holds whole numbers and would be rounded.
   */
  static async create(
    device: Device,
    types: Readonly<Record<string, TensorType>>,
    storage: StorageFormat,
    label: string,
  ): Promise<KeptStorage> {
    const alignment = device.limits.minStorageBufferOffsetAlignment;
    // No block of rounded numbers holds those of two tensors, whose sizes may be far apart.
    const unit = storage === 'float16' ? Math.max(alignment, HALVES_BLOCK * BYTES) : alignment;
    const places: Record<string, { offset: number; bytes: number }> = {};
    let total = 0;
    for (const [name, type] of Object.entries(types)) {
      if (storage === 'float16' && type.dataType !== 'f32') {
        throw new ShapeError(
          `unroll: an intermediate is ${typeText(type)}, and whole numbers cannot be stored as float16; use storage 'float32'.`,
        );
      }
      const bytes = sizeOf(type.shape) * BYTES;
      places[name] = { offset: total, bytes };
      total += wholeMultiple(bytes, unit);
    }
    const computed = allocateRange(device, total / BYTES, label);
    const ranges = Object.fromEntries(
      Object.entries(places).map(([name, place]) => [name, { buffer: computed.buffer, ...place }]),
    );
    try {
      const halves = storage === 'float16' && total > 0 ? await compileHalves(device, computed, label) : null;
      return new KeptStorage(device, ranges, computed, halves);
    } catch (error) {
      device.releaseBuffer(computed.buffer);
      throw error;
    }
  }

  /** Appends the storing of what was computed into a slot of `slotBytes`. */
  encodeKeep(encoder: GPUCommandEncoder, slot: BufferRange): void {
    this.#halves?.round.encode(encoder);
    copyRange(encoder, this.#halves?.words ?? this.#computed, slot);
  }

  /** Appends bringing back what a slot holds. */
  encodeRestore(encoder: GPUCommandEncoder, slot: BufferRange): void {
    copyRange(encoder, slot, this.#halves?.words ?? this.#computed);
    this.#halves?.restore.encode(encoder);
  }

  /** Bytes of device memory held. */
  get memory(): number {
    const { words, round, restore } = this.#halves ?? {};
    return (
      this.#computed.buffer.size + (words?.buffer.size ?? 0) + (round?.memory ?? 0) + (restore?.memory ?? 0)
    );
  }

  release(): void {
    this.#halves?.round.release();
    this.#halves?.restore.release();
    if (this.#halves !== null) this.#device.releaseBuffer(this.#halves.words.buffer);
    this.#device.releaseBuffer(this.#computed.buffer);
  }
}

/** Plans that round all that is computed in a range, and restore it. */
async function compileHalves(device: Device, computed: BufferRange, label: string) {
  const count = computed.bytes / BYTES;
  const wordCount = halfWords(count);
  const slotBytes = wholeMultiple(wordCount * BYTES, device.limits.minStorageBufferOffsetAlignment);
  const words = allocateRange(device, slotBytes / BYTES, `${label}.halves`);
  const ranges = { numbers: computed, words: { ...words, bytes: wordCount * BYTES } };
  const rounding = trace({ numbers: f32(count) }, ({ numbers }) => ({ words: toHalves(numbers) }));
  const restoring = trace({ words: i32(wordCount) }, ({ words }) => ({ numbers: fromHalves(words, count) }));
  let round: Plan | undefined;
  try {
    round = await compile(rounding, device, {
      label: `${label}.round`,
      inputs: { numbers: ranges.numbers },
      outputs: { words: ranges.words },
    });
    const restore = await compile(restoring, device, {
      label: `${label}.restore`,
      inputs: { words: ranges.words },
      outputs: { numbers: ranges.numbers },
    });
    return { words, round, restore };
  } catch (error) {
    round?.release();
    device.releaseBuffer(words.buffer);
    throw error;
  }
}
