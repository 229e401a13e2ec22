/** What a run's time goes into: the tapes of its steps at any batch size, and how often each is replayed. */
import { compile, type Plan } from '../../autograd/compile/plan.js';
import { splitTape } from '../../autograd/splitTape.js';
import { f32, type Tape } from '../../autograd/tape.js';
import { selectOutputs } from '../../autograd/tapeTransforms.js';
import { trace } from '../../autograd/trace.js';
import { trajectoryLoss } from '../../autograd/unroll/problem.js';
import {
  forwardOutputs,
  onTape,
  outerTape,
  reverseOutputs,
  type StepDescription,
  stepTape,
} from '../../autograd/unroll/tapes.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import type { Device } from '../../gpu/device.js';
import { ENCODED_AT_ONCE } from '../../nn/deviceImages.js';
import type { Model } from '../../nn/model.js';
import { type SgdSettings, sgd } from '../../nn/optimisers/sgd.js';
import { batchSizesOf, trainingTape } from '../../nn/training.js';
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { labelCount } from '../evaluate/labelled.js';
import { rowFacts } from '../evaluate/rowNames.js';
import type { StageName } from '../progress.js';
import { studentModel, teacherModel } from '../stages/context.js';
import { innerProblem } from '../stages/innerProblem.js';
import { learntNames, memoryMode } from '../stages/outerLoop.js';
import { regressionOf, transferredOf } from '../stages/students.js';
import { teacherTape } from '../stages/teacher.js';

/** Something that a stage does over and over on the device. */
export interface Work {
  readonly stage: StageName;
  /** What one of it is, such as `step`. */
  readonly what: string;
  /** Images that one of it handles. */
  readonly images: number;
  /** How often the run does it; a short last batch counts as the part that it is. */
  readonly runs: number;
  /** The tape of one with so many images; tables hold as many rows. */
  tape(images: number): Tape;
}

/** What of the data decides how often things are done. */
export type DataSizes = Pick<Dataset, 'image'> & {
  readonly train: Pick<Dataset['train'], 'count' | 'labels'>;
  readonly test: Pick<Dataset['test'], 'count' | 'labels'>;
};

const encodingTape = (model: Model, images: number): Tape =>
  trace({ theta: f32(model.parameters.total), images: f32(images, ...model.image) }, (inputs) => ({
    ...model.forward(inputs.theta, inputs.images),
  }));

function encoding(stage: StageName, model: Model, images: number, name = ''): Work {
  const size = Math.min(ENCODED_AT_ONCE, images);
  return {
    stage,
    what: `encoding${name}`,
    images: size,
    runs: images / size,
    tape: (count) => encodingTape(model, count),
  };
}

/** Training for so many epochs in all over `rows` images. */
function training(
  stage: StageName,
  what: string,
  model: Model,
  optimiser: SgdSettings,
  { rows, batch, epochs }: { readonly rows: number; readonly batch: number; readonly epochs: number },
): Work {
  const size = Math.min(rows, batch);
  return {
    stage,
    what,
    images: size,
    runs: (epochs * rows) / size,
    tape: (images) =>
      trainingTape(
        {
          ...regressionOf(model, optimiser),
          imageShape: [images, ...model.image],
          targetType: f32(images, model.outputCount),
        },
        images,
      ),
  };
}

/** How many of the last inner steps keep their intermediates, by the mode of memory; the others compute them again. */
export async function keptSteps(
  counting: Device,
  config: Config,
  { image, train }: DataSizes,
): Promise<number> {
  const { distil, subset } = config;
  const { steps, truncate } = distil;
  if (distil.memory === 'recompute') return 0;
  if (distil.memory === 'full') return truncate ?? steps;
  const count = subsetSize(subset.fraction, train.count);
  const unroll = await Unroll.create({
    device: counting,
    problem: innerProblem(studentModel({ config, dataset: { image } }), image, count),
    optimiser: sgd(),
    steps,
    batchSizes: batchSizesOf(count, distil.batch),
    wrt: learntNames(distil),
    memory: memoryMode(distil),
    storage: distil.storage,
    ...(truncate === null ? {} : { truncate }),
  });
  const { keptSteps } = unroll;
  unroll.release();
  return keptSteps;
}

function distillation(config: Config, { image, train }: DataSizes, model: Model, kept: number): Work[] {
  const { distil, subset } = config;
  const [batch] = batchSizesOf(subsetSize(subset.fraction, train.count), distil.batch) as [number];
  const describe = (images: number): StepDescription => ({
    problem: innerProblem(model, image, images),
    optimiser: sgd(),
    wrt: learntNames(distil),
    perStep: [],
  });
  const recomputing = (outputs: (description: StepDescription) => string[]) => (images: number) => {
    const description = describe(images);
    return selectOutputs(stepTape(description, images), outputs(description));
  };
  const keeping = (part: 'early' | 'late') => (images: number) => {
    const description = describe(images);
    const tape = stepTape(description, images);
    const late = Object.keys(tape.inputs).filter(
      (name) => name.startsWith(onTape.adjoint('')) || name.startsWith(onTape.gradient('')),
    );
    return splitTape(tape, late, [...forwardOutputs(description), ...reverseOutputs(description)])[part];
  };
  const step = (what: string, steps: number, tape: (images: number) => Tape): Work => ({
    stage: 'distil',
    what,
    images: batch,
    runs: distil.iterations * steps,
    tape,
  });
  const back = distil.truncate ?? distil.steps;
  // Where nothing is computed again, the steps before a truncated sweep are compiled with the others.
  const keptForward = kept === back ? distil.steps : kept;
  return [
    step('inner step', distil.steps - keptForward, recomputing(forwardOutputs)),
    step('its way back', back - kept, recomputing(reverseOutputs)),
    step('inner step, kept', keptForward, keeping('early')),
    step('its way back, kept', kept, keeping('late')),
    {
      stage: 'distil',
      what: 'trajectory loss',
      images: 1,
      runs: distil.iterations,
      tape: () => outerTape(trajectoryLoss(model.parameters.total), model.parameters.total),
    },
  ];
}

/** An architecture that is evaluated, and what messages call it. */
export interface EvaluatedStudent {
  readonly name: string;
  readonly model: Model;
}

/** The student first, then those that sets are transferred to. */
export function evaluatedStudents(config: Config, image: Dataset['image']): EvaluatedStudent[] {
  const output = config.teacher.representation;
  return [
    { name: '', model: studentModel({ config, dataset: { image } }) },
    ...config.evaluate.transfer.map((student) => ({
      name: `, ${student.architecture}`,
      model: transferredOf(student, image, output),
    })),
  ];
}

function evaluation(config: Config, { image, train, test }: DataSizes): Work[] {
  const { evaluate, subset } = config;
  const { rows, seeds, allData, epochs, batch } = evaluate;
  const smallSets = rows.filter((row) => rowFacts[row].isSmallSet).length;
  const students = rows.filter((row) => row !== 'teacher').length;
  // Without labels there are no probes.
  const isLabelled = train.labels !== null && test.labels !== null;
  const labelled = isLabelled ? labelCount(Math.max(...evaluate.labels), train.count) : 0;
  return evaluatedStudents(config, image).flatMap(({ name, model }) => [
    training('evaluate', `step on a subset${name}`, model, evaluate, {
      rows: subsetSize(subset.fraction, train.count),
      batch,
      epochs: seeds * smallSets * epochs,
    }),
    training('evaluate', `step on all data${name}`, model, evaluate, {
      rows: train.count,
      batch: allData.batch,
      epochs: rows.includes('allData') ? seeds * allData.epochs : 0,
    }),
    encoding('evaluate', model, seeds * students * (labelled + test.count), name),
  ]);
}

/**
 * All work of a run on the device that counts, by stage.
 *
 * @param kept inner steps that keep their intermediates
 */
export function workOf(config: Config, sizes: DataSizes, kept: number): Work[] {
  const { teacher, experts } = config;
  const dataset = { image: sizes.image };
  const [train, test] = [sizes.train.count, sizes.test.count];
  const student = studentModel({ config, dataset });
  const makesTargets = config.targets.from === null;
  const work: Work[] = [
    {
      stage: 'teacher',
      what: 'step',
      images: Math.min(teacher.batch, train),
      runs: makesTargets ? teacher.steps : 0,
      tape: (images) =>
        teacherTape({ ...config, teacher: { ...teacher, batch: images } }, sizes.image, images),
    },
    encoding('targets', teacherModel({ config, dataset }), makesTargets ? train + test : 0),
    training('experts', 'step', student, experts, {
      rows: train,
      batch: experts.batch,
      epochs: experts.count * experts.epochs,
    }),
    encoding('subset', student, experts.count * train),
    ...distillation(config, sizes, student, kept),
    ...evaluation(config, sizes),
  ];
  return work.filter(({ runs }) => runs > 0);
}

/** Compiles a tape as a run does: sums are added to in place. */
export function compileWork(device: Device, tape: Tape, label: string): Promise<Plan> {
  const overwrite = Object.keys(tape.inputs).filter((name) => name.startsWith(onTape.gradient('')));
  return compile(tape, device, { label, overwrite });
}
