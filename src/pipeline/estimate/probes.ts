/** Seconds of the linear probes, which the host fits: predicted from a probe on fewer, random features. */
import { integers, normal } from '../../kernels/philox.js';
import { fitProbe } from '../../nn/probe.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { studentModel } from '../stages/context.js';
import { rowNames } from '../stages/evaluate.js';
import type { TimeEstimate } from './estimate.js';

/** Products of one pass over the features that a sample may take: some hundred passes are a second. */
const SAMPLE_PRODUCTS = 2_000_000;
const FEWEST_IMAGES = 8;

/** A line for each share of labels; how many passes real features take is not known, so random ones stand for them. */
export function probeTimes(
  config: Config,
  dataset: Pick<Dataset, 'image' | 'train' | 'classes'>,
): TimeEstimate[] {
  const { evaluate } = config;
  const { featureCount: dimension } = studentModel({ config, dataset });
  const classes = dataset.classes.length;
  return evaluate.labels.map((share) => {
    const wanted = Math.max(1, Math.round(share * dataset.train.count));
    const affordable = Math.max(FEWEST_IMAGES, Math.floor(SAMPLE_PRODUCTS / (dimension * classes)));
    const images = Math.min(wanted, affordable);
    const key = { seed: 0, purpose: 'estimate.probe', index: 0 };
    const features = normal(key, images * dimension);
    const labels = Int32Array.from(integers({ ...key, purpose: 'estimate.labels' }, images, classes));
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
      what: 'linear probe',
      images: wanted,
      runs: evaluate.seeds * rowNames.length,
      seconds: (seconds * wanted) / images,
      source: { kind: 'predicted', images },
    };
  });
}
