/** What the host holds at least in each stage: the images, and the arrays that the stage keeps beside them. */
import { BYTES } from '../../autograd/compile/bufferRange.js';
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { type Dataset, isInFile } from '../data/dataset.js';
import { bytesPerSum } from '../data/pooledTable.js';
import type { StageName } from '../progress.js';
import { studentModel } from '../stages/context.js';

export interface HostMemory {
  readonly stage: StageName;
  /** Bytes held at a time, at least. */
  readonly bytes: number;
}

/** Bytes of every stage's arrays. Node itself and what waits for the garbage collector come on top. */
export function hostMemoryOf(config: Config, dataset: Dataset): HostMemory[] {
  const { train, test, image } = dataset;
  const { experts, evaluate, subset } = config;
  const student = studentModel({ config, dataset });
  const pixels = image.reduce((product, extent) => product * extent, 1);
  const pooled = (train.count + test.count) * pixels * bytesPerSum(config.data.pool);
  const images = isInFile(pooled, config.data) ? 0 : pooled;
  const floats = (count: number): number => count * BYTES;
  const targets = floats(train.count * student.outputCount);
  const testTargets = floats(test.count * student.outputCount);
  const trajectory = floats((experts.epochs + 1) * student.parameters.total);
  const chosen = subsetSize(subset.fraction, train.count);
  const features = (count: number): number => floats(count * (student.featureCount + student.outputCount));
  const labelled = Math.round(Math.max(...evaluate.labels) * train.count);
  const beside: readonly (readonly [StageName, number])[] = [
    ['teacher', 0],
    ['targets', 2 * (targets + testTargets)],
    ['experts', targets + 2 * trajectory],
    ['subset', targets + features(train.count)],
    ['distil', targets + 2 * floats(chosen * (pixels + student.outputCount))],
    ['evaluate', targets + testTargets + features(labelled + test.count)],
  ];
  return beside.map(([stage, bytes]) => ({ stage, bytes: images + bytes }));
}
