/** Labels as rows of a table. Constant with respect to everything: labels are whole numbers. */
import { ShapeError } from '../../errors.js';
import { apply, type OperationDefinition, referenceZeros } from '../operation.js';
import { shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';

const oneHotDefinition: OperationDefinition = {
  name: 'oneHot',
  type([labels], { classes }) {
    if (labels!.dataType !== 'i32' || labels!.shape.length !== 1) {
      throw new ShapeError(
        `oneHot: labels are ${labels!.dataType}${shapeText(labels!.shape)}, but a list of i32 labels [B] is needed.`,
      );
    }
    if (!Number.isInteger(classes) || Number(classes) < 1) {
      throw new ShapeError(`oneHot: classes is ${classes}, but a whole number of at least 1 is needed.`);
    }
    return { dataType: 'f32', shape: [labels!.shape[0]!, Number(classes)] };
  },
  reference([labels], _attributes, { shape }) {
    const result = referenceZeros(shape);
    for (let b = 0; b < shape[0]!; b++) {
      const label = labels!.get(b);
      if (label >= 0 && label < shape[1]!) result.set(b, label, 1);
    }
    return result;
  },
  vjp: () => [null],
  lower(lowering, { inputs, output, type }) {
    const [B, CLASSES] = type.shape as [number, number];
    lowering.launch('oneHot', { B, CLASSES }, [inputs[0]!, output], B);
  },
};

/**
 * labels [B] of i32 in 0…classes−1 → [B,classes], 1 at each row's label; a row whose label is no class is zero.
 *
 * @throws ShapeError when the labels are no list of i32, or `classes` is no whole number of at least 1.
 */
export const oneHot = (labels: Tensor, classes: number): Tensor =>
  apply(oneHotDefinition, [labels], { classes });

export const oneHotOperations: readonly OperationDefinition[] = [oneHotDefinition];
