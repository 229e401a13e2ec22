/** Seconds of the linear probes, which the host fits: predicted from a probe on fewer, random features. */
import { integers, normal } from '../../kernels/philox.js';
import { fitProbe } from '../../nn/probe.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { labelCount } from '../evaluate/labelled.js';
import type { TimeEstimate } from './estimate.js';
import { type EvaluatedStudent, evaluatedStudents } from './work.js';

/** Products of one pass over the features that a sample may take: some hundred passes are a second. */
const SAMPLE_PRODUCTS = 2_000_000;
const FEWEST_IMAGES = 8;

/** The dataset's part of a probe. */
export type ProbedData = Pick<Dataset, 'image' | 'train' | 'classes'>;

function probeTime(
  { evaluate }: Config,
  { train, classes: { length: classes } }: ProbedData,
  { name, model: { featureCount: dimension } }: EvaluatedStudent,
  rows: number,
  share: number,
): TimeEstimate {
  const wanted = labelCount(share, train.count);
  const affordable = Math.max(FEWEST_IMAGES, Math.floor(SAMPLE_PRODUCTS / (dimension * classes)));
  const images = Math.min(wanted, affordable);
  const key = { seed: 0, purpose: 'estimate.probe', index: 0 };
  const features = normal(key, images * dimension);
  const labels = integers({ ...key, purpose: 'estimate.labels' }, images, classes);
  const options = { classes, dimension, regularisation: evaluate.probe.regularisation };
  let seconds = 0;
  // Once for the compiler to get to know it, once for the time.
  for (let k = 0; k < 2; k++) {
    const start = performance.now();
    fitProbe(features, labels, options);
    seconds = (performance.now() - start) / 1000;
  }
  return {
    stage: 'evaluate',
    what: `linear probe${name}`,
    images: wanted,
    runs: evaluate.seeds * rows,
    seconds: (seconds * wanted) / images,
    source: { kind: 'predicted', images },
  };
}

/**
 * A line for each architecture and share of labels; none without labels. How many passes real features take is not known, so
 * random ones stand for them, and the student's for the teacher's.
 */
export function probeTimes(config: Config, dataset: ProbedData): TimeEstimate[] {
  if (dataset.train.labels === null) return [];
  const { labels, rows } = config.evaluate;
  return evaluatedStudents(config, dataset.image).flatMap((student, k) => {
    // The teacher stands in the first table alone.
    const count = k === 0 ? rows.length : rows.filter((row) => row !== 'teacher').length;
    return labels.map((share) => probeTime(config, dataset, student, count, share));
  });
}
