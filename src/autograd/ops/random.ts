/**
 * Random numbers of a counter-based stream (philox.ts, random.wgsl), drawn where they are needed. The stream's name is an
 * input of the tape, so a plan that is replayed draws other numbers for every name that is written, and a step that is
 * computed again draws the same. Nothing here has a derivative.
 */
import { ShapeError } from '../../errors.js';
import { NUMBERS_PER_BLOCK, philox4x32, type Words4 } from '../../kernels/philox.js';
import {
  apply,
  type LoweredOperation,
  type Lowering,
  type OperationDefinition,
  type Reference,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { mul } from './elementwise.js';

/** A uniform number is a multiple of one over this. */
const UNIFORM_STEPS = 2 ** 24;

/** @throws ShapeError when the operand is not the name of a stream. */
export function requireStream(operation: string, stream: TensorType): void {
  if (stream.dataType !== 'i32' || !sameShape(stream.shape, [4])) {
    throw new ShapeError(
      `${operation}: stream is ${typeText(stream)}, but i32[4] is needed, as streamWords gives it.`,
    );
  }
}

/** The words of the block in which a stream's number lies. */
function blockOf(stream: Reference, number: number): Words4 {
  const word = (k: number): number => stream.get(k) >>> 0;
  return philox4x32([Math.floor(number / NUMBERS_PER_BLOCK), word(0), word(1), 0], [word(2), word(3)]);
}

const uniformOf = (word: number): number => (word >>> 8) / UNIFORM_STEPS;

/** A stream's number with this position, uniform in [0, 1). */
const uniformAt = (stream: Reference, number: number): number =>
  uniformOf(blockOf(stream, number)[number % NUMBERS_PER_BLOCK]!);

/** A stream's number with this position, normal by Box–Muller: each pair of words gives a pair of numbers. */
export function normalAt(stream: Reference, number: number): number {
  const words = blockOf(stream, number);
  const pair = number % NUMBERS_PER_BLOCK < 2 ? 0 : 2;
  const radius = Math.sqrt(-2 * Math.log(1 - uniformOf(words[pair]!)));
  const angle = 2 * Math.PI * uniformOf(words[pair + 1]!);
  return radius * (number % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
}

function randomType(operation: string, stream: TensorType, shape: Shape): TensorType {
  requireStream(operation, stream);
  if (!shape.every((extent) => Number.isInteger(extent) && extent >= 1)) {
    throw new ShapeError(
      `${operation}: every extent of the shape ${shapeText(shape)} must be a whole number of at least 1.`,
    );
  }
  return { dataType: 'f32', shape };
}

function launchRandom(
  lowering: Lowering,
  { inputs, output, type }: LoweredOperation,
  definitions: { readonly NORMAL?: boolean; readonly THRESHOLD?: number; readonly KEPT?: string },
): void {
  const COUNT = sizeOf(type.shape);
  const MASK = definitions.THRESHOLD !== undefined;
  lowering.launch(
    'random',
    { COUNT, MASK, NORMAL: false, THRESHOLD: 0, KEPT: '0', ...definitions },
    [inputs[0]!, output],
    Math.ceil(COUNT / NUMBERS_PER_BLOCK),
  );
}

/** An operation that draws its every element by position. */
function defineRandom(
  name: string,
  definitionsFor: (rate: number) => Parameters<typeof launchRandom>[2],
): OperationDefinition {
  return {
    name,
    type: ([stream], { shape }) => randomType(name, stream!, shape as Shape),
    vjp: () => [null],
    lower: (lowering, operation) =>
      launchRandom(lowering, operation, definitionsFor(Number(operation.attributes.rate))),
  };
}

/** 1/(1 − rate), rounded as the device holds it. */
const keptScale = (rate: number): number => Math.fround(1 / (1 - rate));

const uniformDefinition = defineRandom('randomUniform', () => ({}));
const normalDefinition = defineRandom('randomNormal', () => ({ NORMAL: true }));
const anyMask = defineRandom(
  'dropoutMask',
  // u ≥ rate as a comparison of whole numbers, so that no rounding of the rate decides it.
  (rate) => ({ THRESHOLD: Math.ceil(rate * UNIFORM_STEPS), KEPT: String(keptScale(rate)) }),
);
const maskDefinition: OperationDefinition = {
  ...anyMask,
  type(inputs, attributes) {
    requireRate('dropoutMask', Number(attributes.rate));
    return anyMask.type(inputs, attributes);
  },
};

function requireRate(operation: string, rate: number): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new ShapeError(
      `${operation}: the rate ${rate} must be at least 0 and below 1; it is the share of elements set to 0.`,
    );
  }
}

/**
 * Numbers uniform in [0, 1), multiples of 2⁻²⁴: bit for bit those of `uniform` on the host for the same stream.
 *
 * @param stream i32 [4] as `streamWords` gives it
 * @throws ShapeError when the stream or the shape does not fit.
 */
export const randomUniform = (stream: Tensor, shape: Shape): Tensor =>
  apply(uniformDefinition, [stream], { shape: [...shape] });

/**
 * Standard normal numbers by Box–Muller from uniform numbers of 24 bits, so none is larger than 5.8. They are not the
 * numbers of `normal` on the host, which spends 32 bits on each.
 *
 * @param stream i32 [4] as `streamWords` gives it
 * @throws ShapeError when the stream or the shape does not fit.
 */
export const randomNormal = (stream: Tensor, shape: Shape): Tensor =>
  apply(normalDefinition, [stream], { shape: [...shape] });

/**
 * What dropout multiplies with: 0 with probability `rate`, else 1/(1 − rate), so that the mean is 1. Element k is kept where
 * the stream's k-th uniform number is at least the rate: bit for bit what the host finds.
 *
 * @param stream i32 [4] as `streamWords` gives it
 * @param rate in [0, 1)
 * @throws ShapeError when the stream, the shape or the rate does not fit.
 */
export const dropoutMask = (stream: Tensor, shape: Shape, rate: number): Tensor =>
  apply(maskDefinition, [stream], { shape: [...shape], rate });

/**
 * `x` with a random share of its elements set to 0 and the others multiplied by 1/(1 − rate) (Srivastava et al., JMLR 2014,
 * "inverted" form: at evaluation nothing is to be done). A rate of 0 gives `x` itself. Layers that draw at once need streams
 * of different names.
 *
 * @param stream i32 [4] as `streamWords` gives it
 * @param rate in [0, 1)
 * @throws ShapeError when the stream or the rate does not fit.
 */
export function dropout(x: Tensor, stream: Tensor, rate: number): Tensor {
  requireRate('dropout', rate);
  requireStream('dropout', stream.type);
  return rate === 0 ? x : mul(x, dropoutMask(stream, x.shape, rate));
}

export const randomOperations: readonly OperationDefinition[] = [
  uniformDefinition,
  normalDefinition,
  maskDefinition,
];

/** Every element drawn by its position. */
function drawn(shape: Shape, numberAt: (number: number) => number): Reference {
  const result = referenceZeros(shape);
  for (let number = 0; number < result.data.length; number++) result.data[number] = numberAt(number);
  return result;
}

export const randomReferences: ReferenceRules = {
  randomUniform: ([stream], _attributes, { shape }) => drawn(shape, (number) => uniformAt(stream!, number)),
  randomNormal: ([stream], _attributes, { shape }) => drawn(shape, (number) => normalAt(stream!, number)),
  dropoutMask: ([stream], { rate }, { shape }) =>
    drawn(shape, (number) => (uniformAt(stream!, number) >= Number(rate) ? keptScale(Number(rate)) : 0)),
};
