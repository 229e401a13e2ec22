/** The networks that learn the teacher's representations, and how. */
import { convNet } from '../../nn/convNet.js';
import { mse } from '../../nn/losses.js';
import { mlp } from '../../nn/mlp.js';
import type { Model } from '../../nn/model.js';
import { type NormalisedStudent, normalisedStudent } from '../../nn/normalisedStudent.js';
import type { SgdSettings } from '../../nn/optimisers/sgd.js';
import { resNet18 } from '../../nn/resNet18.js';
import type { TrainingStep } from '../../nn/training.js';
import type { Config } from '../config/schema.js';
import type { TransferStudent } from '../config/sections/evaluate.js';
import type { Dataset } from '../data/dataset.js';
import { counted } from '../report/wording.js';

/** The student that the set was distilled for, with a head to a representation of length `output`. */
export function studentOf(
  { depth, width }: Pick<Config['student'], 'depth' | 'width'>,
  image: Dataset['image'],
  output: number,
): Model {
  return convNet({ image, depth, width, output });
}

/**
 * Another architecture, with a head to a representation of length `output`.
 *
 * @throws ShapeError when the images are too small for it.
 */
export function transferredOf(student: TransferStudent, image: Dataset['image'], output: number): Model {
  switch (student.architecture) {
    case 'convNet':
      return studentOf(student, image, output);
    case 'mlp':
      return mlp({ image, depth: student.depth, width: student.width, output });
    case 'resNet18':
      return normalisedStudent(resNet18({ image, width: student.width }), output);
  }
}

/** What tables call an architecture, such as `MLP, 2 layers of 128`. */
export function describeStudent(student: TransferStudent): string {
  switch (student.architecture) {
    case 'convNet':
      return `ConvNet, ${counted(student.depth, 'block')} of ${student.width}`;
    case 'mlp':
      return `MLP, ${counted(student.depth, 'layer')} of ${student.width}`;
    case 'resNet18':
      return `ResNet-18, width ${student.width}`;
  }
}

/** How a student learns a table of targets: by the mean squared error of its output (MKDT eq. 6). */
export function regressionOf(student: Model | NormalisedStudent, optimiser: SgdSettings): TrainingStep {
  const parameters = student.parameters.total;
  if (!('learnt' in student)) {
    return { parameters, optimiser, loss: (theta, x, y) => mse(student.forward(theta, x).output, y) };
  }
  return {
    parameters,
    optimiser,
    loss(theta, x, y) {
      const { output, statistics } = student.train(theta, x);
      return { loss: mse(output, y), statistics };
    },
  };
}
