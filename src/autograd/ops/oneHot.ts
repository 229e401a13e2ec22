/** Labels as rows of a table. Constant with respect to everything: labels are whole numbers. */
import { ShapeError } from '../../errors.js';
import {
  apply,
  forEachIndex,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { sizeOf, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';

const oneHotReference: ReferenceRule = ([labels], { classes }, { shape }) => {
  const result = referenceZeros(shape);
  forEachIndex(labels!.shape, (index) => {
    const label = labels!.get(...index);
    if (label >= 0 && label < Number(classes)) result.set(...index, label, 1);
  });
  return result;
};

const oneHotDefinition: OperationDefinition = {
  name: 'oneHot',
  type([labels], { classes }) {
    if (labels!.dataType !== 'i32') {
      throw new ShapeError(`oneHot: labels are ${typeText(labels!)}, but whole numbers (i32) are needed.`);
    }
    if (!Number.isInteger(classes) || Number(classes) < 1) {
      throw new ShapeError(`oneHot: classes is ${classes}, but a whole number of at least 1 is needed.`);
    }
    return { dataType: 'f32', shape: [...labels!.shape, Number(classes)] };
  },
  vjp: () => [null],
  lower(lowering, { inputs, inputTypes, attributes: { classes }, output }) {
    const B = sizeOf(inputTypes[0]!.shape);
    lowering.launch('oneHot', { B, CLASSES: Number(classes) }, [inputs[0]!, output], B);
  },
};

/**
 * Labels of any shape […] as rows […, classes]: 1 at each label's place, 0 elsewhere. A label outside 0…classes−1 gives a
 * row of zeros.
 *
 * @throws ShapeError when the labels are not i32.
 */
export const oneHot = (labels: Tensor, classes: number): Tensor =>
  apply(oneHotDefinition, [labels], { classes });

export const oneHotOperations: readonly OperationDefinition[] = [oneHotDefinition];

export const oneHotReferences: ReferenceRules = {
  oneHot: oneHotReference,
};
