/**
 * Stage 1: a teacher trained on the real images without labels, by Barlow Twins (MKDT eqs. 1, 2) on two random views of
 * each image; and stage 2: its representations of every image, the targets of all later regression.
 */
import { compile } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { relu } from '../../autograd/ops/elementwise.js';
import { gather } from '../../autograd/ops/gather.js';
import { linear } from '../../autograd/ops/matmul.js';
import { f32, i32, type Tape } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import { ShapeError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import { augmentationTypes, augmentImages, drawAugmentation } from '../../nn/augmentation.js';
import { placeImages, type RowSource, releaseImages, stageRows } from '../../nn/deviceImages.js';
import { Encoder } from '../../nn/inference.js';
import { barlowTwins } from '../../nn/losses.js';
import { initialParameters, type Model } from '../../nn/model.js';
import { adamDefaults, adamStep } from '../../nn/optimisers/adam.js';
import {
  joinParameters,
  layOut,
  type ParameterLayout,
  splitParameters,
  unpack,
} from '../../nn/parameters.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import {
  files,
  floatTensor,
  namedParameters,
  placement,
  type ReadableFolder,
  readTensors,
  type StageContext,
  teacherModel,
  writeTensors,
} from './context.js';
import { requireFinite } from './finite.js';

/** Steps between two events of the loss, and between two waits for the device. */
const EVENT_EVERY = 10;

/** The two views of each image. */
const SIDES = ['A', 'B'] as const;

/** Fields under the names that they have for one side: `view` of side A is `viewA`. */
const sided = <Field>(side: string, fields: Readonly<Record<string, Field>>): Record<string, Field> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [`${name}${side}`, field]));

/** Encoder and projector side by side in one θ: linear, ReLU, linear, both of the projector's width. */
function withProjector(model: Model, width: number): ParameterLayout {
  const linearEntries = (name: string, inputs: number) => [
    { name: `${name}.weight`, shape: [width, inputs], fanIn: inputs, start: 'uniform' as const },
    { name: `${name}.bias`, shape: [width], fanIn: inputs, start: 'uniform' as const },
  ];
  return layOut([
    ...model.parameters.entries,
    ...linearEntries('projector0', model.outputCount),
    ...linearEntries('projector1', width),
  ]);
}

/** One step of the teacher's training on `count` images in device memory: two views of a batch, Barlow Twins, Adam. */
export function teacherTape(config: Config, image: Dataset['image'], count: number): Tape {
  const settings = config.teacher;
  const model = teacherModel({ config, dataset: { image } });
  const layout = withProjector(model, settings.projector);
  const batch = Math.min(settings.batch, count);
  const types = {
    theta: f32(layout.total),
    first: f32(layout.total),
    second: f32(layout.total),
    decay1: f32(),
    decay2: f32(),
    learningRate: f32(),
    images: f32(count, ...image),
    batch: i32(batch),
  };
  const viewTypes = augmentationTypes(settings.augmentation, image, batch);
  const sides = Object.assign({}, ...SIDES.map((side) => sided(side, viewTypes))) as typeof viewTypes;
  return trace({ ...types, ...sides }, (inputs) => {
    const parameters = unpack(layout, inputs.theta);
    const all: Readonly<Record<string, Tensor>> = inputs;
    const project = (side: string): Tensor => {
      const view = Object.fromEntries(Object.keys(viewTypes).map((name) => [name, all[`${name}${side}`]!]));
      const images = augmentImages(gather(inputs.images, inputs.batch), view, settings.augmentation);
      const { output } = model.forward(inputs.theta, images);
      const hidden = relu(linear(output, parameters['projector0.weight']!, parameters['projector0.bias']!));
      return linear(hidden, parameters['projector1.weight']!, parameters['projector1.bias']!);
    };
    const [z1, z2] = SIDES.map(project) as [Tensor, Tensor];
    const loss = barlowTwins(z1, z2, { lambda: settings.lambda });
    const [g] = gradient(loss, [inputs.theta]) as [Tensor];
    return { ...adamStep({ ...inputs, gradient: g }), loss };
  });
}

/** Writes the teacher's parameters, without the projector. */
export async function trainTeacher(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const settings = config.teacher;
  const model = teacherModel(context);
  const layout = withProjector(model, settings.projector);
  const { count } = dataset.train;
  const batch = Math.min(settings.batch, count);
  const images = await placeImages(device, dataset.train, dataset.image, placement(config, batch, 'teacher'));
  const tape = teacherTape(config, dataset.image, images.imageShape[0]!);
  const carry = { theta: 'theta', first: 'first', second: 'second', decay1: 'decay1', decay2: 'decay2' };
  const plan = await compile(tape, device, {
    label: 'teacher',
    inputs: { images: images.images },
    carry,
  });
  try {
    const zeros = new Float32Array(layout.total);
    plan.write('theta', initialParameters(layout, { seed: config.seed, purpose: 'teacher', index: 0 }));
    plan.write('first', zeros);
    plan.write('second', zeros);
    // Adam's decays of the first step: β₁ and β₂ to the power 1.
    plan.write('decay1', Float32Array.of(adamDefaults.beta1));
    plan.write('decay2', Float32Array.of(adamDefaults.beta2));
    plan.write('learningRate', Float32Array.of(settings.learningRate));

    let order: Int32Array = new Int32Array(0);
    let epoch = 0;
    for (let step = 0; step < settings.steps; step++) {
      // An epoch is a permutation used up without replacement; a rest too short for a batch is left out.
      if (order.length < batch) {
        order = permutation({ seed: config.seed, purpose: 'teacher.order', index: epoch++ }, count);
      }
      plan.write('batch', await stageRows(images, order.slice(0, batch)));
      order = order.slice(batch);
      for (const side of SIDES) {
        const key = { seed: config.seed, purpose: 'teacher', index: step };
        const drawn = drawAugmentation(key, side, batch, dataset, settings.augmentation);
        for (const [name, numbers] of Object.entries(sided(side, drawn))) plan.write(name, numbers);
      }
      plan.submit();
      if ((step + 1) % EVENT_EVERY === 0 || step + 1 === settings.steps) {
        const [loss] = await plan.read('loss');
        requireFinite(loss!, `the teacher's loss at step ${step + 1}`, 'Lower teacher.learningRate.');
        events.append({ stage: 'teacher', step: step + 1, loss });
        context.advance(step + 1, loss);
      }
    }
    const trained = splitParameters(layout, await plan.read('theta'));
    await writeTensors(
      folder,
      files.teacher,
      namedParameters(model.parameters, joinParameters(model.parameters, trained)),
    );
  } finally {
    plan.release();
    releaseImages(device, images);
  }
  return [files.teacher];
}

/** What a teacher is read and used with; `image` is the shape of the images that it is to see. */
type TeacherSource = Pick<StageContext, 'config' | 'device'> & {
  readonly folder: ReadableFolder;
  readonly dataset: Pick<Dataset, 'image'>;
};

/**
 * Reads back the teacher's θ.
 *
 * @throws ShapeError when it was trained on images of another shape, or is of another size than the configuration says.
 */
async function readTeacher(source: TeacherSource): Promise<Float32Array> {
  const tensor = await readTensors(source.folder, files.teacher);
  const { parameters } = teacherModel(source);
  for (const { name, shape } of parameters.entries) {
    const found = tensor(name).shape;
    if (found.length === shape.length && found.every((extent, axis) => extent === shape[axis])) continue;
    throw new ShapeError(
      `${source.folder.pathOf(files.teacher)}: ${name} is [${found.join(', ')}], but a teacher of images of ${source.dataset.image.join('×')} has [${shape.join(', ')}] there. Give it images of the shape that it was trained on.`,
    );
  }
  return joinParameters(
    parameters,
    Object.fromEntries(parameters.entries.map(({ name }) => [name, tensor(name).data])),
  );
}

/**
 * The teacher's representations [count, D], without augmentation, of images [C, H, W].
 *
 * @throws ShapeError when the teacher was trained on images of another shape.
 */
export async function encodeByTeacher(source: TeacherSource, images: RowSource): Promise<Float32Array> {
  const { config, device, dataset } = source;
  const theta = await readTeacher(source);
  const placed = await placeImages(device, images, dataset.image, placement(config, 1, 'targets'));
  const encoder = await Encoder.create(device, teacherModel(source), placed);
  try {
    return (await encoder.encode(theta)).outputs;
  } finally {
    encoder.release();
    releaseImages(device, placed);
  }
}

/** Writes the teacher's representations of every training and test image [count, D]. */
export async function computeTargets(context: StageContext): Promise<string[]> {
  const { dataset, folder } = context;
  const { outputCount } = teacherModel(context);
  const train = await encodeByTeacher(context, dataset.train);
  context.advance(1);
  const test = await encodeByTeacher(context, dataset.test);
  context.advance(2);
  await writeTensors(folder, files.targets, [
    ['train', floatTensor(train, dataset.train.count, outputCount)],
    ['test', floatTensor(test, dataset.test.count, outputCount)],
  ]);
  return [files.targets];
}
