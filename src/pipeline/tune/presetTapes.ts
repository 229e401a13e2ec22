/** The steps that a run of a configuration spends its time in, as tapes; no data is read. */
import { f32 } from '../../autograd/tape.js';
import { selectOutputs } from '../../autograd/tapeTransforms.js';
import type { WeightedTape } from '../../autograd/tune/units.js';
import {
  forwardOutputs,
  reverseOutputs,
  type StepDescription,
  stepTape,
} from '../../autograd/unroll/tapes.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { batchSizesOf, trainingTape } from '../../nn/training.js';
import { requireImageShape, subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { studentModel } from '../stages/context.js';
import { innerProblem } from '../stages/innerProblem.js';
import { learntNames } from '../stages/outerLoop.js';
import { regressionOf } from '../stages/students.js';
import { teacherTape } from '../stages/teacher.js';

/** Training images that are assumed where the configuration takes all that its files hold. */
const ASSUMED_IMAGES = 10_000;

/** The teacher's, an expert's and the inner step, this forward and back, with the number of each in a run. */
export function presetTapes(config: Config): WeightedTape[] {
  const { teacher, experts, distil, subset } = config;
  const image = requireImageShape(config.data);
  const count = config.data.train ?? ASSUMED_IMAGES;
  const model = studentModel({ config, dataset: { image } });

  const expertSteps = {
    ...regressionOf(model, experts),
    imageShape: [count, ...image],
    targetType: f32(count, model.outputCount),
  };
  const epochs = experts.count * experts.epochs;
  const [expertBatch] = batchSizesOf(count, experts.batch) as [number];

  const images = subsetSize(subset.fraction, count);
  const description: StepDescription = {
    problem: innerProblem(model, image, images),
    optimiser: sgd(),
    wrt: learntNames(distil),
    perStep: [],
  };
  const [innerBatch] = batchSizesOf(images, distil.batch) as [number];
  const step = stepTape(description, innerBatch);
  const innerSteps = distil.iterations * distil.steps;

  return [
    { name: "teacher's step", tape: teacherTape(config, image, count), runs: teacher.steps },
    {
      name: "expert's step",
      tape: trainingTape(expertSteps, expertBatch),
      runs: epochs * Math.ceil(count / experts.batch),
    },
    { name: 'inner step', tape: selectOutputs(step, forwardOutputs(description)), runs: innerSteps },
    { name: 'its way back', tape: selectOutputs(step, reverseOutputs(description)), runs: innerSteps },
  ];
}
