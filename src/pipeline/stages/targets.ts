/** The stage `targets`: the teacher's representations of every image, or given ones, the targets of all later regression. */
import { ShapeError } from '../../errors.js';
import { ENCODED_AT_ONCE, placeImages, type RowSource, releaseImages } from '../../nn/deviceImages.js';
import { Encoder } from '../../nn/encoder.js';
import { joinParameters } from '../../nn/parameters.js';
import { type Checkpoint, notOurs } from '../checkpoints.js';
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
import { Held } from './held.js';

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

/** Turns of the encoder between two moments at which it can be stopped. */
const TURNS_AT_ONCE = 4;

/** Where encoding goes on, and who is told of it. */
interface Kept {
  /** Representations [images that are done, D]: whole turns of the encoder, or all. */
  readonly outputs: Float32Array;
  /** Told the representations of all images so far. */
  reached(outputs: Float32Array): Promise<void>;
}

const NOTHING_KEPT: Kept = { outputs: new Float32Array(0), reached: async () => {} };

/**
 * The teacher's representations [count, D], in evaluation mode and without augmentation, of images [count, C, H, W].
 *
 * @throws ShapeError when the teacher was trained on images of another shape.
 */
export async function encodeByTeacher(
  source: TeacherSource,
  images: RowSource,
  kept: Kept = NOTHING_KEPT,
): Promise<Float32Array> {
  const { config, device, dataset } = source;
  const { outputCount } = teacherModel(source);
  const theta = await readTeacher(source);
  const held = new Held();
  try {
    const placed = held.takeWith(
      await placeImages(device, images, dataset.image, placement(config, 1, 'targets')),
      (each) => releaseImages(device, each),
    );
    const encoder = held.take(await Encoder.create(device, teacherModel(source), placed));
    const outputs = new Float32Array(images.count * outputCount);
    outputs.set(kept.outputs);
    // Whole turns of the encoder: what each of them computes does not depend on where it began.
    for (let done = kept.outputs.length / outputCount; done < images.count; ) {
      const count = Math.min(TURNS_AT_ONCE * ENCODED_AT_ONCE, images.count - done);
      const rows = Int32Array.from({ length: count }, (_, k) => done + k);
      outputs.set((await encoder.encode(theta, rows)).outputs, done * outputCount);
      done += count;
      await kept.reached(outputs.subarray(0, done * outputCount));
    }
    return outputs;
  } finally {
    held.release();
  }
}

/** Writes the teacher's representations of every training and test image [count, D], or those that were given. */
export async function computeTargets(context: StageContext): Promise<string[]> {
  const { config, dataset, folder } = context;
  if (config.targets.from !== null) return await copyGivenTargets(context);
  const { outputCount } = teacherModel(context);
  const sets = [dataset.train, dataset.test] as const;
  const resumed = context.checkpoints?.resumed ?? null;
  const known = resumed === null ? [] : representationsOf(resumed, outputCount);
  const encoded: Float32Array[] = [];
  for (const [index, set] of sets.entries()) {
    const before = index * dataset.train.count;
    encoded.push(
      await encodeByTeacher(context, set, {
        outputs: known[index] ?? NOTHING_KEPT.outputs,
        reached: async (outputs) => {
          const done = before + outputs.length / outputCount;
          context.advance(done);
          await context.checkpoints?.reached(done, async () => ({
            tensors: new Map(
              [...encoded, outputs].map((data, k) => [String(k), floatTensor(data, data.length)]),
            ),
          }));
        },
      }),
    );
  }
  const [train, test] = encoded as [Float32Array, Float32Array];
  await writeTensors(folder, files.targets, [
    ['train', floatTensor(train, dataset.train.count, outputCount)],
    ['test', floatTensor(test, dataset.test.count, outputCount)],
  ]);
  return [files.targets];
}

/** What a checkpoint holds of each set, in order. */
function representationsOf({ tensors }: Checkpoint, outputCount: number): Float32Array[] {
  return Array.from({ length: tensors.size }, (_, index) => tensors.get(String(index))?.data).map((data) => {
    if (data instanceof Float32Array && data.length % outputCount === 0) return data;
    throw notOurs();
  });
}
