/**
 * Numbers in half their memory (halves.wgsl): 16-bit floats with a scale, a power of two, for each block of 64. A number comes
 * back within 2⁻¹¹ of itself where it is larger than 2⁻²⁸ times the largest of its block, and within 2⁻³⁹ of that largest else.
 * What is computed stays float32; only what waits in memory is rounded. Nothing here has a derivative.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { f32, i32, shapeText, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';

/** Numbers that share a scale. */
export const HALVES_BLOCK = 64;
/** Their scale's exponent, and a word for each pair. */
const BLOCK_WORDS = 1 + HALVES_BLOCK / 2;
/** The exponent that marks a block with an infinity or a NaN. */
const LOST = 255;
const LARGEST_EXPONENT = 253;
/** What the exponents of a block's largest number and of its scale add up to, each with its bias of 127: 127 + 127 + 14. */
const EXPONENT_SUM = 268;

/** Number of 32-bit words that so many numbers take. */
export const halfWords = (count: number): number => Math.ceil(count / HALVES_BLOCK) * BLOCK_WORDS;

/** 16 bits of the float nearest to a number below 2^15, ties to even. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // Steps of the numbers around it: 2^-24 for the smallest ones, 2^-10 of the leading power for the others.
  const power = Math.max(magnitude === 0 ? -14 : Math.floor(Math.log2(magnitude)), -14);
  const steps = roundToEven(magnitude / 2 ** (power - 10));
  // The leading step of a normal number is its implied one; a carry moves on to the next exponent by itself.
  return sign | ((power + 14) * 1024 + steps);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function valueOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The exponent field of a number as a 32-bit float. */
function exponentOf(value: number): number {
  return (new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 23) & 255;
}

function requireVector(operation: string, x: TensorType, dataType: TensorType['dataType']): void {
  if (x.dataType !== dataType || x.shape.length !== 1) {
    throw new ShapeError(
      `${operation}: the operand is ${typeText(x)}, but ${dataType} of one axis is needed.`,
    );
  }
}

const noDerivative = (operation: string) => () => {
  throw new ShapeError(`${operation}: rounded numbers have no derivative; wrap them in stopGradient.`);
};

const toHalvesReference: ReferenceRule = ([x], _attributes, { shape }) => {
  const words = referenceZeros(shape);
  const count = x!.shape[0]!;
  for (let block = 0; block * HALVES_BLOCK < count; block++) {
    const numbers = Array.from({ length: Math.min(HALVES_BLOCK, count - block * HALVES_BLOCK) }, (_, i) =>
      x!.get(block * HALVES_BLOCK + i),
    );
    const largest = Math.max(...numbers.map(exponentOf));
    const scale = largest === LOST ? LOST : Math.min(EXPONENT_SUM - largest, LARGEST_EXPONENT);
    words.set(block * BLOCK_WORDS, scale);
    if (scale === LOST) continue;
    const half = (i: number): number => halfBits((numbers[i] ?? 0) * 2 ** (scale - 127));
    for (let i = 0; i < numbers.length; i += 2) {
      words.set(block * BLOCK_WORDS + 1 + i / 2, half(i) | (half(i + 1) << 16));
    }
  }
  return words;
};

const toHalvesDefinition: OperationDefinition = {
  name: 'toHalves',
  type([x]) {
    requireVector('toHalves', x!, 'f32');
    return i32(halfWords(x!.shape[0]!));
  },
  vjp: noDerivative('toHalves'),
  lower(lowering, { inputs, inputTypes, output }) {
    const COUNT = inputTypes[0]!.shape[0]!;
    const BLOCKS = Math.ceil(COUNT / HALVES_BLOCK);
    const types = { SOURCE: 'f32', RESULT: 'i32' };
    const sizes = { COUNT, BLOCKS, BLOCK: HALVES_BLOCK };
    lowering.launch('halves', { ...sizes, ...types, PACK: true }, [inputs[0]!, output], BLOCKS);
  },
};

const fromHalvesReference: ReferenceRule = ([words], _attributes, { shape }) => {
  const x = referenceZeros(shape);
  for (let k = 0; k < shape[0]!; k++) {
    const header = Math.floor(k / HALVES_BLOCK) * BLOCK_WORDS;
    const scale = words!.get(header);
    const word = words!.get(header + 1 + Math.floor((k % HALVES_BLOCK) / 2));
    x.data[k] =
      scale === LOST
        ? Number.NaN
        : valueOfHalf((word >>> (k % 2 === 0 ? 0 : 16)) & 0xffff) / 2 ** (scale - 127);
  }
  return x;
};

const fromHalvesDefinition: OperationDefinition = {
  name: 'fromHalves',
  type([words], { count }) {
    requireVector('fromHalves', words!, 'i32');
    const wanted = halfWords(Number(count));
    if (words!.shape[0] !== wanted) {
      throw new ShapeError(
        `fromHalves: words ${shapeText(words!.shape)} must be [${wanted}] to hold ${count} numbers.`,
      );
    }
    return f32(Number(count));
  },
  vjp: noDerivative('fromHalves'),
  lower(lowering, { inputs, output, type }) {
    const COUNT = type.shape[0]!;
    const BLOCKS = Math.ceil(COUNT / HALVES_BLOCK);
    const types = { SOURCE: 'i32', RESULT: 'f32' };
    const sizes = { COUNT, BLOCKS, BLOCK: HALVES_BLOCK };
    lowering.launch('halves', { ...sizes, ...types, PACK: false }, [inputs[0]!, output], BLOCKS);
  },
};

/** x [n] rounded to 16 bits a number, with a scale for each block of 64: i32 [`halfWords(n)`]. It has no derivative. */
export const toHalves = (x: Tensor): Tensor => apply(toHalvesDefinition, [x]);

/**
 * The `count` numbers that `toHalves` made these words of.
 * @throws ShapeError when the words are not as many as `count` numbers take.
 */
export const fromHalves = (words: Tensor, count: number): Tensor =>
  apply(fromHalvesDefinition, [words], { count });

export const halvesOperations: readonly OperationDefinition[] = [toHalvesDefinition, fromHalvesDefinition];

export const halvesReferences: ReferenceRules = {
  toHalves: toHalvesReference,
  fromHalves: fromHalvesReference,
};
