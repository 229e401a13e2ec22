/** What ties the configuration's fields together. */
import { ConfigError } from '../../errors.js';
import { valueAt } from './paths.js';
import type { Config } from './schema.js';

/** How many times its width a ResNet-18's representation has. */
const RESNET_WIDENING = 8;

type ImageShape = readonly [channels: number, height: number, width: number];

/** A field whose value does not fit, and what would: the message goes on after "PATH = VALUE". */
interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Height and width of each source's images, in pixels; null where only the files tell. */
const imageSide: Record<Config['data']['source'], (data: Config['data']) => number | null> = {
  mnist: () => 28,
  cifar10: () => 32,
  cifar100: () => 32,
  'tiny-imagenet': ({ resize }) => resize.side ?? 64,
  idx: () => null,
  folder: ({ resize }) => resize.side,
};

const GRAY_SOURCES: readonly Config['data']['source'][] = ['mnist', 'idx'];

/** Shape of one image [C, H, W] as the run sees it, after pooling; null where it is not known before the files are read. */
export function imageShape(data: Config['data']): ImageShape | null {
  const side = imageSide[data.source](data);
  if (side === null) return null;
  const isGray = GRAY_SOURCES.includes(data.source) || (data.source === 'folder' && data.channels === 'gray');
  return [isGray ? 1 : 3, side / data.pool, side / data.pool];
}

/** Side of the images of MNIST and of the sets that came after it in its format. */
const USUAL_IDX_SIDE = 28;

/**
 * `imageShape` for work that reads no files; images in IDX files are taken for 28×28 pixels. Throws `ConfigError` where only the
 * files tell it.
 */
export function requireImageShape(data: Config['data']): ImageShape {
  const shape = imageShape(data);
  if (shape !== null) return shape;
  if (data.source === 'idx' && USUAL_IDX_SIDE % data.pool === 0) {
    return [1, USUAL_IDX_SIDE / data.pool, USUAL_IDX_SIDE / data.pool];
  }
  throw new ConfigError(
    `data.source = ${data.source} leaves the images' size to the files, and no files are read here. Use another source${data.source === 'folder' ? ', or set data.resize.side' : ', or a data.pool that divides 28'}.`,
  );
}

/** Number of images in the synthetic set and in each subset: `fraction` of `trainCount`, rounded, at least 1. */
export function subsetSize(subsetFraction: number, trainCount: number): number {
  return Math.max(1, Math.round(subsetFraction * trainCount));
}

/** Whether a run has the baseline of trajectory matching on the self-supervised loss, and the stages that it takes. */
export const matchesSelfSupervised = ({ evaluate }: Pick<Config, 'evaluate'>): boolean =>
  evaluate.rows.includes('trajectoryMatchingOnSsl');

/** The rules that tie fields together; each gives the field to change and what fits. */
export function* crossChecks(config: Config): Generator<Issue> {
  const { data, experts, distil } = config;

  const lastEpoch = distil.expertEpochs + distil.startEpochs - 1;
  if (lastEpoch > experts.epochs) {
    yield {
      path: 'distil.expertEpochs',
      message: `must leave expertEpochs + startEpochs − 1 = ${lastEpoch} within experts.epochs = ${experts.epochs}; lower it or distil.startEpochs = ${distil.startEpochs}, or train the experts longer`,
    };
  }

  yield* distilChecks(distil);
  if (config.targets.from === null) yield* teacherChecks(config.teacher);

  const resizable = data.source === 'folder' || data.source === 'tiny-imagenet';
  if (data.resize.side !== null && !resizable) {
    yield {
      path: 'data.resize.side',
      message: `fits folder and tiny-imagenet only; ${data.source}'s images are of one size, so leave it null and use data.pool`,
    };
  }
  const side = imageSide[data.source](data);
  if (side !== null && side % data.pool !== 0) {
    yield {
      path: 'data.pool',
      message: `must divide the ${side} pixels of ${data.source}'s height and width`,
    };
  } else {
    const image = imageShape(data);
    if (image !== null) yield* shapeChecks(config, image);
  }
  yield* selfSupervisedChecks(config);
  // With train = null the count is known only once the files are read.
  if (data.train !== null) yield* countChecks(config, data.train);
}

/** Throws `ConfigError` where the images that were read do not fit the configuration: what could not be known before. */
export function requireFit(
  config: Config,
  { image, train }: { readonly image: ImageShape; readonly train: { readonly count: number } },
): void {
  const issues = [
    ...(imageShape(config.data) === null ? shapeChecks(config, image) : []),
    ...(config.data.train === null ? countChecks(config, train.count) : []),
  ];
  if (issues.length === 0) return;
  const given = (path: string): unknown => valueAt(config, path.split('.'));
  throw new ConfigError(
    issues.map(({ path, message }) => `${path} = ${JSON.stringify(given(path))} ${message}.`).join('\n'),
  );
}

/** The rules that the images' shape [C, H, W] takes part in. */
function* shapeChecks({ teacher, student, targets, evaluate }: Config, image: ImageShape): Generator<Issue> {
  const isDeep = targets.from === null && teacher.architecture === 'convNet';
  yield* depthChecks(image, isDeep ? { teacher, student } : { student });
  for (const other of evaluate.transfer) {
    if (other.architecture !== 'convNet') continue;
    for (const { message } of depthChecks(image, { transfer: other })) {
      yield { path: 'evaluate.transfer', message: `has a ConvNet whose depth ${other.depth} ${message}` };
    }
  }
}

/** The rules that the number of training images takes part in. */
function* countChecks(config: Config, count: number): Generator<Issue> {
  const { teacher, targets, experts, distil, evaluate } = config;
  for (const [path, batch] of [
    ['teacher.batch', targets.from === null ? teacher.batch : 0],
    ['experts.batch', experts.batch],
    ['evaluate.allData.batch', evaluate.allData.batch],
  ] as const) {
    if (batch > count) yield { path, message: `must not exceed the data.train = ${count} training images` };
  }
  const size = subsetSize(config.subset.fraction, count);
  for (const [path, batch] of [
    ['distil.batch', distil.batch],
    ['evaluate.batch', evaluate.batch],
  ] as const) {
    if (batch > size) {
      yield {
        path,
        message: `must not exceed the ${size} synthetic images (subset.fraction = ${config.subset.fraction} of ${count}); lower it or raise subset.fraction`,
      };
    }
  }
  if (matchesSelfSupervised(config)) {
    const { selfSupervised } = config;
    for (const [path, batch, most, what] of [
      ['selfSupervised.experts.batch', selfSupervised.experts.batch, count, 'training images'],
      ['selfSupervised.batch', selfSupervised.batch, size, 'synthetic images'],
    ] as const) {
      if (batch > most) yield { path, message: `must not exceed the ${most} ${what}` };
    }
  }
  for (const share of evaluate.labels) {
    if (Math.round(share * count) < 1) {
      yield {
        path: 'evaluate.labels',
        message: `must leave at least one labelled image: ${share} of ${count} is none`,
      };
    }
  }
}

function* distilChecks(distil: Config['distil']): Generator<{ path: string; message: string }> {
  const { startEpochsFrom: from, startEpochs, truncate, steps } = distil;
  if (from !== null && from > startEpochs) {
    yield { path: 'distil.startEpochsFrom', message: `must not exceed distil.startEpochs = ${startEpochs}` };
  }
  if (truncate !== null && truncate > steps) {
    yield { path: 'distil.truncate', message: `must not exceed the distil.steps = ${steps} inner steps` };
  }
  if (distil.storage === 'float16' && distil.memory === 'recompute') {
    yield {
      path: 'distil.storage',
      message: 'stores what distil.memory = full or mixed keeps, and recompute keeps nothing; change either',
    };
  }
  if ([distil.pixels, distil.targets, distil.innerStep].every(({ learningRate }) => learningRate === 0)) {
    yield {
      path: 'distil.pixels.learningRate',
      message: 'must be above 0, or that of distil.targets or distil.innerStep: nothing would be learnt',
    };
  }
}

/** The rules of the baseline on the self-supervised loss, where a run has it. */
function* selfSupervisedChecks(config: Config): Generator<Issue> {
  if (!matchesSelfSupervised(config)) return;
  const { evaluate, selfSupervised } = config;
  const { experts, expertEpochs, startEpochs } = selfSupervised;
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
}

function* teacherChecks(teacher: Config['teacher']): Generator<Issue> {
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
  [, height, width]: ImageShape,
  networks: Record<string, { depth: number }>,
): Generator<Issue> {
  // The first convolution pads 28-pixel images to 32.
  const smallest = Math.min(height, width) + (height === 28 ? 4 : 0);
  for (const [name, { depth }] of Object.entries(networks)) {
    if (smallest >> depth < 1) {
      yield {
        path: `${name}.depth`,
        message: `must be at most ${Math.floor(Math.log2(smallest))} for images of ${height}×${width} pixels: each block halves them`,
      };
    }
  }
}
