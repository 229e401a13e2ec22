/** What ties the configuration's fields together. */
import type { Config } from './schema.js';

/** Height and width of each source's images, in pixels. */
const imageSide: Record<Config['data']['source'], number> = { mnist: 28, cifar10: 32 };
const imageChannels: Record<Config['data']['source'], number> = { mnist: 1, cifar10: 3 };

/** Shape of one image [C, H, W] as the run sees it, after pooling; known without reading any file. */
export function imageShape({ source, pool }: Config['data']): readonly [number, number, number] {
  const side = imageSide[source] / pool;
  return [imageChannels[source], side, side];
}

/** Number of images in the synthetic set and in each subset: `fraction` of `trainCount`, rounded, at least 1. */
export function subsetSize(subsetFraction: number, trainCount: number): number {
  return Math.max(1, Math.round(subsetFraction * trainCount));
}

/** The rules that tie fields together; each gives the field to change and what fits. */
export function* crossChecks(config: Config): Generator<{ path: string; message: string }> {
  const { data, teacher, student, experts, distil, evaluate } = config;

  const lastEpoch = distil.expertEpochs + distil.startEpochs - 1;
  if (lastEpoch > experts.epochs) {
    yield {
      path: 'distil.expertEpochs',
      message: `must leave expertEpochs + startEpochs − 1 = ${lastEpoch} within experts.epochs = ${experts.epochs}; lower it or distil.startEpochs = ${distil.startEpochs}, or train the experts longer`,
    };
  }

  const side = imageSide[data.source];
  if (side % data.pool !== 0) {
    yield {
      path: 'data.pool',
      message: `must divide the ${side} pixels of ${data.source}'s height and width`,
    };
  } else {
    yield* depthChecks(side / data.pool, { teacher, student });
    for (const other of evaluate.transfer) {
      if (other.architecture !== 'convNet') continue;
      for (const { message } of depthChecks(side / data.pool, { transfer: other })) {
        yield { path: 'evaluate.transfer', message: `has a ConvNet whose depth ${other.depth} ${message}` };
      }
    }
  }

  yield* selfSupervisedChecks(config);

  // With train = null the count is known only once the files are read.
  if (data.train === null) return;
  for (const [path, batch] of [
    ['teacher.batch', teacher.batch],
    ['experts.batch', experts.batch],
    ['evaluate.allData.batch', evaluate.allData.batch],
  ] as const) {
    if (batch > data.train)
      yield { path, message: `must not exceed the data.train = ${data.train} training images` };
  }
  const size = subsetSize(config.subset.fraction, data.train);
  for (const [path, batch] of [
    ['distil.batch', distil.batch],
    ['evaluate.batch', evaluate.batch],
  ] as const) {
    if (batch > size) {
      yield {
        path,
        message: `must not exceed the ${size} synthetic images (subset.fraction = ${config.subset.fraction} of ${data.train}); lower it or raise subset.fraction`,
      };
    }
  }
  for (const share of evaluate.labels) {
    if (Math.round(share * data.train) < 1) {
      yield {
        path: 'evaluate.labels',
        message: `must leave at least one labelled image: ${share} of ${data.train} is none`,
      };
    }
  }
}

/** The rules of the baseline on the self-supervised loss, where a run has it. */
function* selfSupervisedChecks({
  data,
  subset,
  evaluate,
  selfSupervised,
}: Config): Generator<{ path: string; message: string }> {
  if (!evaluate.rows.includes('trajectoryMatchingOnSsl')) return;
  const { experts, expertEpochs, startEpochs, batch } = selfSupervised;
  const lastEpoch = expertEpochs + startEpochs - 1;
  if (lastEpoch > experts.epochs) {
    yield {
      path: 'selfSupervised.expertEpochs',
      message: `must leave expertEpochs + startEpochs − 1 = ${lastEpoch} within selfSupervised.experts.epochs = ${experts.epochs}; lower it or selfSupervised.startEpochs = ${startEpochs}, or train the experts longer`,
    };
  }
  if (evaluate.transfer.some(({ architecture }) => architecture === 'resNet18')) {
    yield {
      path: 'evaluate.transfer',
      message:
        'must not name resNet18 where evaluate.rows names trajectoryMatchingOnSsl: that row trains no network that normalises over the batch',
    };
  }
  if (data.train === null) return;
  const size = subsetSize(subset.fraction, data.train);
  for (const [path, value, most, what] of [
    ['selfSupervised.experts.batch', experts.batch, data.train, 'training images'],
    ['selfSupervised.batch', batch, size, 'synthetic images'],
  ] as const) {
    if (value > most) yield { path, message: `must not exceed the ${most} ${what}` };
  }
}

function* depthChecks(
  side: number,
  networks: Record<string, { depth: number }>,
): Generator<{ path: string; message: string }> {
  // The first convolution pads 28-pixel images to 32.
  const padded = side === 28 ? 32 : side;
  for (const [name, { depth }] of Object.entries(networks)) {
    if (padded >> depth < 1) {
      yield {
        path: `${name}.depth`,
        message: `must be at most ${Math.floor(Math.log2(padded))} for images of ${side}×${side} pixels: each block halves them`,
      };
    }
  }
}
