/**
 * Pieces of one flat vector, and the vector made of pieces: how a model's parameters are one vector θ to the
 * optimiser and separate tensors to its layers. Adjoints of each other.
 */
import { ShapeError } from '../../errors.js';
import { storageBinding } from '../../kernels/bindings.js';
import { unrollFactor } from '../../kernels/catalogue.js';
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceData,
  referenceFrom,
  referenceZeros,
} from '../operation.js';
import { type Shape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { requireFloats } from './operands.js';

const segmentReference: ReferenceRule = ([flat], { offset }, { shape }) => {
  return referenceFrom(referenceData(flat!).subarray(Number(offset), Number(offset) + sizeOf(shape)), shape);
};

const segmentDefinition: OperationDefinition = {
  name: 'segment',
  type([flat], { offset, shape }) {
    const size = sizeOf(shape as Shape);
    if (flat!.shape.length !== 1 || Number(offset) < 0 || Number(offset) + size > flat!.shape[0]!) {
      throw new ShapeError(
        `segment: [${offset}, ${Number(offset) + size}) does not lie in the flat tensor ${shapeText(flat!.shape)}.`,
      );
    }
    return { dataType: flat!.dataType, shape: shape as Shape };
  },
  vjp: ({ inputs: [flat], attributes }, c) => [pack([c], [Number(attributes.offset)], flat!.shape[0]!)],
  view: ({ offset }) => Number(offset),
};

const packReference: ReferenceRule = (pieces, attributes, { shape }) => {
  const result = referenceZeros(shape);
  const offsets = attributes.offsets as readonly number[];
  pieces.forEach((piece, k) => {
    result.data.set(referenceData(piece), offsets[k]!);
  });
  return result;
};

const packDefinition: OperationDefinition = {
  name: 'pack',
  type(pieces, attributes) {
    requireFloats('pack', pieces);
    const offsets = attributes.offsets as readonly number[];
    let end = 0;
    pieces.forEach((piece, k) => {
      if (offsets[k] === undefined || offsets[k]! < end) {
        throw new ShapeError(
          `pack: piece ${k} ${shapeText(piece.shape)} starts at ${offsets[k]}, inside the one before it, which ends at ` +
            `${end}; offsets ascend, one for each piece.`,
        );
      }
      end = offsets[k]! + sizeOf(piece.shape);
    });
    if (end > Number(attributes.total)) {
      throw new ShapeError(
        `pack: the pieces end at ${end}, past the total of ${attributes.total}; make the result [total] longer.`,
      );
    }
    return { dataType: 'f32', shape: [Number(attributes.total)] };
  },
  vjp({ inputs, attributes }, c, wanted) {
    const offsets = attributes.offsets as readonly number[];
    return inputs.map((piece, k) => (wanted[k] ? segment(c, offsets[k]!, piece.shape) : null));
  },
  lower(lowering, { inputs, inputTypes, attributes, output, type }) {
    const offsets = attributes.offsets as readonly number[];
    const ITEMS = offsets.reduce(
      (items, offset) => unrollFactor(offset || items, items),
      lowering.tuning.copyItems,
    );
    const most = lowering.maximumBindings - 1;
    for (let from = 0; from < inputs.length; from += most) {
      const pieces = inputs.slice(from, from + most);
      const FIRST = from === 0 ? 0 : offsets[from]!;
      const LAST = from + most < inputs.length ? offsets[from + most]! : type.shape[0]!;
      const bindings = [...pieces.map((_, k) => `piece${k}`), 'result'].map((name, k) =>
        storageBinding(k, name),
      );
      const cases = pieces.map((_, k) => {
        const start = offsets[from + k]!;
        const end = start + sizeOf(inputTypes[from + k]!.shape);
        return (
          `if (first >= ${start}u && first < ${end}u) {\n` +
          `  for (; i < min(last, ${end}u); i++) { result[i] = piece${k}[i - ${start}u]; }\n}`
        );
      });
      const definitions = { BINDINGS: bindings.join('\n'), BODY: cases.join(' else '), FIRST, LAST, ITEMS };
      lowering.launch('pack', definitions, [...pieces, output], Math.ceil((LAST - FIRST) / ITEMS));
    }
  },
};

/**
 * `shape` read from a flat tensor at `offset` (in elements), as a view.
 *
 * @throws ShapeError when it does not lie inside the flat tensor.
 */
export const segment = (flat: Tensor, offset: number, shape: Shape): Tensor =>
  apply(segmentDefinition, [flat], { offset, shape: [...shape] });

/**
 * A flat tensor [total] that holds each piece at its offset (in elements, ascending) and zeros elsewhere.
 *
 * @throws ShapeError when pieces overlap, end past the total, or hold whole numbers.
 */
export const pack = (pieces: readonly Tensor[], offsets: readonly number[], total: number): Tensor =>
  apply(packDefinition, pieces, { offsets: [...offsets], total });

/**
 * The sum of two packed tensors whose pieces do not overlap, as one; `null` where they do or are none. Keeps a
 * gradient with respect to θ one vector rather than a sum of mostly empty ones.
 */
export function mergePacked(a: Tensor, b: Tensor): Tensor | null {
  const [left, right] = [a.recorder.operation(a.id), b.recorder.operation(b.id)];
  if (left.name !== 'pack' || right.name !== 'pack' || a.shape[0] !== b.shape[0]) return null;
  const pieces = [left, right]
    .flatMap((operation) => {
      const offsets = operation.attributes.offsets as readonly number[];
      return operation.inputs.map((id, k) => ({ piece: a.recorder.tensor(id), offset: offsets[k]! }));
    })
    .sort((p, q) => p.offset - q.offset);
  const overlap = pieces.some(
    ({ offset }, k) => k > 0 && offset < pieces[k - 1]!.offset + sizeOf(pieces[k - 1]!.piece.shape),
  );
  if (overlap) return null;
  return pack(
    pieces.map(({ piece }) => piece),
    pieces.map(({ offset }) => offset),
    a.shape[0]!,
  );
}

export const packOperations: readonly OperationDefinition[] = [segmentDefinition, packDefinition];

export const packReferences: ReferenceRules = {
  segment: segmentReference,
  pack: packReference,
};
