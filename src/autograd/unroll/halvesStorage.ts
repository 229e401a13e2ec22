/** Intermediates that wait in 16 bits a number, with a scale a block (ops/halves.ts). */
import type { Device } from '../../gpu/device.js';
import { wholeMultiple } from '../../kernels/catalogue.js';
import { allocateRange, type BufferRange, BYTES } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { fromHalves, halfWords, toHalves } from '../ops/halves.js';
import { f32, i32 } from '../tape.js';
import { trace } from '../trace.js';

/** What rounds and restores the numbers of one place. */
export interface HalvesStorage {
  /** Where the rounded numbers are written and read. */
  readonly words: BufferRange;
  readonly round: Plan;
  readonly restore: Plan;
}

/** Plans that round all that is computed in a range, and restore it, in parts that the device can bind. */
export async function compileHalves(
  device: Device,
  computed: BufferRange,
  label: string,
): Promise<HalvesStorage> {
  const { limits } = device;
  const alignment = limits.minStorageBufferOffsetAlignment;
  const largest = Math.floor(limits.maxStorageBufferBindingSize / alignment) * alignment;
  const parts: { readonly name: string; readonly numbers: BufferRange; readonly offset: number }[] = [];
  let wordBytes = 0;
  for (let offset = 0; offset < computed.bytes; offset += largest) {
    const bytes = Math.min(largest, computed.bytes - offset);
    parts.push({
      name: `part${parts.length}`,
      numbers: { buffer: computed.buffer, offset, bytes },
      offset: wordBytes,
    });
    wordBytes += wholeMultiple(halfWords(bytes / BYTES) * BYTES, alignment);
  }
  const words = allocateRange(device, wordBytes / BYTES, `${label}.halves`);
  const countOf = (part: (typeof parts)[number]): number => part.numbers.bytes / BYTES;
  const numbers = Object.fromEntries(parts.map((part) => [part.name, part.numbers]));
  const wordRanges = Object.fromEntries(
    parts.map((part) => [
      part.name,
      { buffer: words.buffer, offset: part.offset, bytes: halfWords(countOf(part)) * BYTES },
    ]),
  );
  const rounding = trace(Object.fromEntries(parts.map((part) => [part.name, f32(countOf(part))])), (inputs) =>
    Object.fromEntries(parts.map(({ name }) => [name, toHalves(inputs[name]!)])),
  );
  const restoring = trace(
    Object.fromEntries(parts.map((part) => [part.name, i32(halfWords(countOf(part)))])),
    (inputs) =>
      Object.fromEntries(parts.map((part) => [part.name, fromHalves(inputs[part.name]!, countOf(part))])),
  );
  let round: Plan | undefined;
  try {
    round = await compile(rounding, device, {
      label: `${label}.round`,
      inputs: numbers,
      outputs: wordRanges,
    });
    const restore = await compile(restoring, device, {
      label: `${label}.restore`,
      inputs: wordRanges,
      outputs: numbers,
    });
    return { words, round, restore };
  } catch (error) {
    round?.release();
    device.releaseBuffer(words.buffer);
    throw error;
  }
}
