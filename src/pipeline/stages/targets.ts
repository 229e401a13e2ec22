/** Stage 2: the teacher's representations of every image, or given ones, the targets of all later regression. */
import { uploadRange } from '../../autograd/compile/bufferRange.js';
import { Encoder } from '../../nn/inference.js';
import { joinParameters } from '../../nn/parameters.js';
import { files, floatTensor, readTensors, type StageContext, teacherModel, writeTensors } from './context.js';
import { copyGivenTargets } from './givenTargets.js';

/** Reads back the teacher's θ, running statistics included. */
async function readTeacher(context: StageContext): Promise<Float32Array> {
  const tensor = await readTensors(context.folder, files.teacher);
  const { parameters } = teacherModel(context);
  return joinParameters(
    parameters,
    Object.fromEntries(parameters.entries.map(({ name }) => [name, tensor(name).data])),
  );
}

/** Writes the teacher's representations, in evaluation mode and without augmentation, of every training and test image [count, D]. */
export async function computeTargets(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder } = context;
  if (config.targets.from !== null) return await copyGivenTargets(context);
  const model = teacherModel(context);
  const theta = await readTeacher(context);
  const encodeSet = async (images: Float32Array, count: number): Promise<Float32Array> => {
    const range = uploadRange(device, images, 'targets.images');
    const encoder = await Encoder.create(device, model, range, [count, ...dataset.image]);
    try {
      return (await encoder.encode(theta)).outputs;
    } finally {
      encoder.release();
      device.releaseBuffer(range.buffer);
    }
  };
  const train = await encodeSet(dataset.train.images, dataset.train.count);
  context.advance(1);
  const test = await encodeSet(dataset.test.images, dataset.test.count);
  context.advance(2);
  await writeTensors(folder, files.targets, [
    ['train', floatTensor(train, dataset.train.count, model.outputCount)],
    ['test', floatTensor(test, dataset.test.count, model.outputCount)],
  ]);
  return [files.targets];
}
