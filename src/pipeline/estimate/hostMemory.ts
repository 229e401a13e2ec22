/** What the host holds at least in each stage: the images, and the arrays that the stage keeps beside them. */
import { BYTES } from '../../autograd/compile/bufferRange.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { type Dataset, isInFile } from '../data/dataset.js';
import { bytesPerSum } from '../data/pooledTable.js';
import { labelCount } from '../evaluate/labelled.js';
import type { StageName } from '../progress.js';
import { stagesOf } from '../stageList.js';
import { studentModel } from '../stages/context.js';
import { trajectoryBytes } from '../stages/trajectories.js';

export interface HostMemory {
  readonly stage: StageName;
  /** Bytes held at a time, at least. */
  readonly bytes: number;
}

/** What to do where the host's arrays are too much. */
export const LOWER_HOST_MEMORY =
  'Lower data.train, experts.epochs, selfSupervised.experts.epochs or data.memory (--set data.memory=0 leaves the images in a file).';

/** Most bytes that any stage's arrays take. */
export const mostHostBytes = (stages: readonly HostMemory[]): number =>
  Math.max(...stages.map(({ bytes }) => bytes));

/** Bytes of the arrays of every stage that a run has. Node itself and what waits for the garbage collector come on top. */
export function hostMemoryOf(config: Config, dataset: Dataset): HostMemory[] {
  const { train, test, image } = dataset;
  const { experts, evaluate, selfSupervised, subset, teacher } = config;
  const student = studentModel({ config, dataset });
  const pixels = image.reduce((product, extent) => product * extent, 1);
  const pooled = (train.count + test.count) * pixels * bytesPerSum(config.data.pool);
  const images = isInFile(pooled, config.data) ? 0 : pooled;
  const floats = (count: number): number => count * BYTES;
  const targets = floats(train.count * student.outputCount);
  const testTargets = floats(test.count * student.outputCount);
  // An expert's trajectory, and the file that is made of it.
  const trajectories = (epochs: number, parameters: number): number =>
    2 * trajectoryBytes(epochs, parameters);
  const chosen = subsetSize(subset.fraction, train.count);
  const features = (count: number): number => floats(count * (student.featureCount + student.outputCount));
  const labelled = labelCount(Math.max(...evaluate.labels), train.count);
  const beside: readonly (readonly [StageName, number])[] = [
    ['teacher', 0],
    ['targets', 2 * (targets + testTargets)],
    ['experts', targets + trajectories(experts.epochs, student.parameters.total)],
    ['subset', targets + features(train.count)],
    ['distil', targets + 2 * floats(chosen * (pixels + student.outputCount))],
    [
      'selfSupervisedExperts',
      trajectories(selfSupervised.experts.epochs, withProjector(student, teacher).total),
    ],
    // The images as they were, as they are, their velocity and their gradient.
    ['selfSupervised', 4 * floats(chosen * pixels)],
    ['evaluate', targets + testTargets + features(labelled + test.count)],
  ];
  const run = new Set<StageName>(stagesOf(config).map(({ name }) => name));
  return beside
    .filter(([stage]) => run.has(stage))
    .map(([stage, bytes]) => ({ stage, bytes: images + bytes }));
}
