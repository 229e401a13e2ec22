/** What ties the configuration's fields together. */
import type { Config } from './schema.js';

/** How many times its width a ResNet-18's representation has. */
const RESNET_WIDENING = 8;

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

  yield* teacherChecks(teacher);

  const side = imageSide[data.source];
  if (side % data.pool !== 0) {
    yield {
      path: 'data.pool',
      message: `must divide the ${side} pixels of ${data.source}'s height and width`,
    };
  } else {
    yield* depthChecks(
      side / data.pool,
      teacher.architecture === 'convNet' ? { teacher, student } : { student },
    );
    for (const other of evaluate.transfer) {
      if (other.architecture !== 'convNet') continue;
      for (const { message } of depthChecks(side / data.pool, { transfer: other })) {
        yield { path: 'evaluate.transfer', message: `has a ConvNet whose depth ${other.depth} ${message}` };
      }
    }
  }

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

function* teacherChecks(teacher: Config['teacher']): Generator<{ path: string; message: string }> {
  const { architecture, width, representation, warmUp, steps } = teacher;
  if (architecture === 'resNet18' && representation !== RESNET_WIDENING * width) {
    yield {
      path: 'teacher.representation',
      message: `must be ${RESNET_WIDENING} · teacher.width = ${RESNET_WIDENING * width} for a resNet18, which has no head`,
    };
  }
  if (warmUp > steps) {
    yield { path: 'teacher.warmUp', message: `must not exceed the teacher.steps = ${steps} steps` };
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
