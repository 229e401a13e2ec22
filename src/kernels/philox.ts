/**
 * Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3" (SC 2011). A number depends on its stream's name and its position alone, so a resumed
 * run, a reordered run and a run on another device draw the same numbers. `philox.wgsl` is the same
 * function for the device.
 */
import { ConfigError, ShapeError } from '../errors.js';

/** The name of one stream of random numbers. Streams that differ in any part are independent. */
export interface StreamKey {
  /** The run's seed: an integer from 0 to 2⁵³ − 1. */
  readonly seed: number;
  /** What the numbers are for, such as `'expert initialisation'`. */
  readonly purpose: string;
  /** Which of the purpose's streams: the expert, the iteration, … An integer from 0 to 2⁵³ − 1. */
  readonly index: number;
}

/** Numbers that one block of the generator gives: a word each. */
export const NUMBERS_PER_BLOCK = 4;

/** Four 32-bit words. */
export type Words4 = [number, number, number, number];

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;
const TWO_32 = 2 ** 32;

/** The high 32 bits of the 64-bit product of two unsigned 32-bit integers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const carried = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carried >>> 16)) >>> 0;
}

/** Philox4x32-10 of one counter, written to `out[offset … offset + 3]`: nothing is allocated. */
function writeBlock(
  out: Uint32Array,
  offset: number,
  counter: readonly [number, number, number, number],
  block: number,
  key: readonly [number, number],
): void {
  let c0 = (counter[0] + block) >>> 0;
  let c1 = counter[1];
  let c2 = counter[2];
  let c3 = counter[3];
  let k0 = key[0];
  let k1 = key[1];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** One block of Philox4x32-10: four unsigned 32-bit words from a counter and a key of such words. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Words4 {
  const out = new Uint32Array(4);
  writeBlock(out, 0, counter, 0, key);
  return [out[0]!, out[1]!, out[2]!, out[3]!];
}

/** The 32-bit FNV-1a hash of a text's UTF-8 bytes: a purpose's half of the Philox key. */
export function hashPurpose(purpose: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(purpose)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * The Philox counter and key that a stream begins with: key = (seed, hash of the purpose), counter =
 * (position, index, high bits of the seed, high bits of the index). Block i of the stream has the position i.
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none.
 */
export function streamStart(stream: StreamKey): { counter: Words4; key: [number, number] } {
  const { seed, purpose, index } = stream;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`The seed ${seed} does not fit: give an integer from 0 to 2^53 - 1.`);
  }
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new ShapeError(
      `The index ${index} of the random stream '${purpose}' does not fit: give an integer from 0 to 2^53 - 1.`,
    );
  }
  return {
    counter: [0, index >>> 0, Math.floor(seed / TWO_32), Math.floor(index / TWO_32)],
    key: [seed >>> 0, hashPurpose(purpose)],
  };
}

/**
 * A stream's name as the four i32 words that the device's random operations take: index, seed high, seed low, purpose.
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is no integer from 0 to 2³² − 1: they have no room for more.
 */
export function streamWords(stream: StreamKey): Int32Array {
  const { counter, key } = streamStart(stream);
  if (counter[3] !== 0) {
    throw new ShapeError(
      `The index ${stream.index} of the random stream '${stream.purpose}' does not fit on the device: ` +
        'give an integer from 0 to 2^32 - 1.',
    );
  }
  return Int32Array.of(counter[1], counter[2], key[0], key[1]);
}

function checkCount(stream: StreamKey, count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > TWO_32) {
    throw new ShapeError(
      `The count ${count} asked of the random stream '${stream.purpose}' does not fit: give an integer from 0 to 2^32.`,
    );
  }
}

/**
 * The first `count` raw words of a stream, each uniform over the unsigned 32-bit integers.
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none, or a count that is no integer from 0 to 2³².
 */
export function words(stream: StreamKey, count: number): Uint32Array {
  checkCount(stream, count);
  const { counter, key } = streamStart(stream);
  const out = new Uint32Array(count);
  const wholeBlocks = Math.floor(count / 4);
  for (let block = 0; block < wholeBlocks; block++) writeBlock(out, block * 4, counter, block, key);
  if (wholeBlocks * 4 < count) {
    const last = new Uint32Array(4);
    writeBlock(last, 0, counter, wholeBlocks, key);
    out.set(last.subarray(0, count - wholeBlocks * 4), wholeBlocks * 4);
  }
  return out;
}

/**
 * `count` numbers uniform in [0, 1), multiples of 2⁻²⁴: every one is exact in float32.
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none, or a count that is no integer from 0 to 2³².
 */
export function uniform(stream: StreamKey, count: number): Float32Array {
  const raw = words(stream, count);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = (raw[i]! >>> 8) * 2 ** -24;
  return out;
}

/**
 * `count` numbers uniform between `low` and `high`, computed in float64 and rounded (so `high` can occur).
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none, a count that is no integer from 0 to 2³², or bounds that are not finite or not
 * in order.
 */
export function uniformRange(stream: StreamKey, count: number, low: number, high: number): Float32Array {
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    throw new ShapeError(
      `The range [${low}, ${high}) of the random stream '${stream.purpose}' does not fit: give finite bounds with low ≤ high.`,
    );
  }
  const raw = words(stream, count);
  const out = new Float32Array(count);
  const step = (high - low) * 2 ** -24;
  for (let i = 0; i < count; i++) out[i] = low + (raw[i]! >>> 8) * step;
  return out;
}

/**
 * `count` standard normal numbers by Box–Muller, computed in float64 and rounded: words 2i and 2i + 1 give
 * numbers 2i and 2i + 1.
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none, or a count that is no integer from 0 to 2³².
 */
export function normal(stream: StreamKey, count: number): Float32Array {
  checkCount(stream, count);
  const raw = words(stream, count + (count % 2));
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    // The radius's number lies in (0, 1], so that its logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log((raw[i]! + 1) / TWO_32));
    const angle = (2 * Math.PI * raw[i + 1]!) / TWO_32;
    out[i] = radius * Math.cos(angle);
    // Past the end of an odd count this write is dropped by the typed array.
    out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/**
 * `count` integers from 0 to `bound` − 1, 1 ≤ bound ≤ 2³¹: the high word of a 32-bit word times the bound.
 * No value's probability is off by more than 2⁻³².
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none, a count that is no integer from 0 to 2³², or another bound.
 */
export function integers(stream: StreamKey, count: number, bound: number): Int32Array {
  if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 31) {
    throw new ShapeError(
      `The bound ${bound} of the random stream '${stream.purpose}' does not fit: give an integer from 1 to 2^31.`,
    );
  }
  const raw = words(stream, count);
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) out[i] = multiplyHigh(raw[i]!, bound);
  return out;
}

/**
 * A random permutation of 0 … n − 1 (Fisher–Yates, from the last place down; one word a place).
 *
 * @throws ConfigError for a seed that is no integer from 0 to 2⁵³ − 1.
 * @throws ShapeError for an index that is none, or an n that is no integer from 0 to 2³².
 */
export function permutation(stream: StreamKey, n: number): Int32Array {
  const raw = words(stream, n);
  const out = new Int32Array(n);
  for (let i = 0; i < n; i++) out[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = multiplyHigh(raw[i]!, i + 1);
    const kept = out[i]!;
    out[i] = out[j]!;
    out[j] = kept;
  }
  return out;
}
