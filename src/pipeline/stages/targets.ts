/** Stage 2: the teacher's representations of every image, or given ones, the targets of all later regression. */
import { ShapeError } from '../../errors.js';
import { placeImages, type RowSource, releaseImages } from '../../nn/deviceImages.js';
import { Encoder } from '../../nn/inference.js';
import { joinParameters } from '../../nn/parameters.js';
import type { Dataset } from '../data/dataset.js';
import {
  files,
  floatTensor,
  placement,
  type ReadableFolder,
  readTensors,
  type StageContext,
  teacherModel,
  writeTensors,
} from './context.js';
import { copyGivenTargets } from './givenTargets.js';

/** What a teacher is read and used with; `image` is the shape of the images that it is to see. */
type TeacherSource = Pick<StageContext, 'config' | 'device'> & {
  readonly folder: ReadableFolder;
  readonly dataset: Pick<Dataset, 'image'>;
};

/**
 * Reads back the teacher's θ, running statistics included.
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
 * The teacher's representations [count, D], in evaluation mode and without augmentation, of images [count, C, H, W].
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

/** Writes the teacher's representations of every training and test image [count, D], or those that were given. */
export async function computeTargets(context: StageContext): Promise<string[]> {
  const { config, dataset, folder } = context;
  if (config.targets.from !== null) return await copyGivenTargets(context);
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
