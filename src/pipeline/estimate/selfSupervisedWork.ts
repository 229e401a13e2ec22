/** The work of the baseline that matches trajectories of the self-supervised loss itself. */
import { f32 } from '../../autograd/tape.js';
import { selectOutputs } from '../../autograd/tapeTransforms.js';
import {
  forwardOutputs,
  reverseOutputs,
  type StepDescription,
  stepTape,
} from '../../autograd/unroll/tapes.js';
import type { AugmentedImages } from '../../nn/augmentation.js';
import type { Model } from '../../nn/model.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { matchesSelfSupervised, subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { selfSupervision } from '../objectives.js';
import { studentModel } from '../stages/context.js';
import { selfSupervisedProblem } from '../stages/selfSupervised.js';
import { type DataSizes, evaluatedStudents, type Work } from './work.js';

/** Steps of its experts, of its distillation, and of the pre-training on its set; nothing where no row asks for it. */
export function selfSupervisedWork(config: Config, data: DataSizes & AugmentedImages): Work[] {
  if (!matchesSelfSupervised(config)) return [];
  const { selfSupervised: settings, evaluate, teacher, subset } = config;
  const model = studentModel({ config, dataset: data });
  const { experts, iterations, steps } = settings;
  const gradientTape = (student: Model) => (images: number) =>
    selfSupervision(student, teacher, experts, data).tape(
      { imageShape: [images, ...student.image], targetType: f32(1) },
      images,
    );
  const describe = (images: number): StepDescription => ({
    problem: selfSupervisedProblem(model, teacher, images, images),
    optimiser: sgd(),
    wrt: ['images', 'learningRate'],
    perStep: [],
  });
  const innerTape = (outputs: (description: StepDescription) => string[]) => (images: number) => {
    const description = describe(images);
    return selectOutputs(stepTape(description, images), outputs(description));
  };
  const count = subsetSize(subset.fraction, data.train.count);
  return [
    {
      stage: 'selfSupervisedExperts',
      what: 'step',
      images: experts.batch,
      runs: experts.count * experts.epochs * Math.floor(data.train.count / experts.batch),
      tape: gradientTape(model),
    },
    {
      stage: 'selfSupervised',
      what: 'inner step',
      images: settings.batch,
      runs: iterations * steps,
      tape: innerTape(forwardOutputs),
    },
    {
      stage: 'selfSupervised',
      what: 'its way back',
      images: settings.batch,
      runs: iterations * steps,
      tape: innerTape(reverseOutputs),
    },
    ...evaluatedStudents(config, data.image).map(
      ({ name, model: student }): Work => ({
        stage: 'evaluate',
        what: `self-supervised step on a set${name}`,
        images: evaluate.batch,
        runs: evaluate.seeds * evaluate.epochs * Math.floor(count / evaluate.batch),
        tape: gradientTape(student),
      }),
    ),
  ];
}
