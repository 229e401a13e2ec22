/** Evaluates a tape in float64 with the operations' references: the oracle for every kernel. */
import { ShapeError } from '../errors.js';
import { type Reference, referenceData, referenceFrom } from './operation.js';
import { referenceOf } from './ops/references.js';
import { locate, operationSentence } from './origin.js';
import { inputNamesOf, shapeText, sizeOf, type Tape } from './tape.js';

/**
 * The outputs of a tape in float64.
 *
 * @param inputs the numbers of every input in row-major order
 * @throws ShapeError when an input is missing or has the wrong number of elements.
 */
export function interpret(
  tape: Tape,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, Float64Array> {
  const values: Reference[] = [];
  const inputNames = inputNamesOf(tape);
  for (const operation of tape.operations) {
    const { id, name, attributes, inputs: operands, type } = operation;
    if (name === 'input') {
      const input = inputNames.get(id)!;
      const data = inputs[input];
      if (data === undefined || data.length !== sizeOf(type.shape)) {
        throw new ShapeError(
          `interpret: input '${input}' needs ${sizeOf(type.shape)} numbers for ${shapeText(type.shape)}; ` +
            `${data === undefined ? 'none were' : `${data.length} were`} given.`,
        );
      }
      values[id] = referenceFrom(data, type.shape);
    } else {
      try {
        values[id] = referenceOf(name)(
          operands.map((operand) => values[operand]!),
          attributes,
          type,
        );
      } catch (error) {
        throw locate(error, operationSentence('evaluating', operation));
      }
    }
  }
  return Object.fromEntries(
    Object.entries(tape.outputs).map(([name, id]) => [name, Float64Array.from(referenceData(values[id]!))]),
  );
}
