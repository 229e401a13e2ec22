/** The evaluation of a set by itself: a run's, on its own data or on others, or one made elsewhere. */
import { ConfigError, ShapeError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { tableSource } from '../../nn/deviceImages.js';
import type { Config } from '../config/schema.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import type { Dataset } from '../data/dataset.js';
import { files, type ReadableFolder, readTensors } from '../stages/context.js';
import { encodeByTeacher } from '../stages/targets.js';
import type { EvaluationInputs, SourceImages } from './bench.js';
import { encoderCount, evaluateEncoders } from './evaluateEncoders.js';
import type { GivenSet } from './givenSet.js';
import type { EvaluationKeeper } from './keeper.js';
import type { Evaluation } from './record.js';
import { rowDefinitions } from './rows.js';
import type { SelfSupervisedSet } from './selfSupervisedPretraining.js';

/** The teacher's representations [count, D] of a dataset's images. */
type Representations = NonNullable<EvaluationInputs['representations']>;

/** A run whose teacher is used. */
export interface TeacherRun {
  readonly config: Config;
  readonly folder: ReadableFolder;
  /** Whether it trained a teacher; one whose targets came from a file has none. */
  readonly hasTeacher: boolean;
  /** The images that its set was made from; null where the set is not the run's. */
  readonly own: {
    readonly dataset: Dataset;
    readonly targets: Representations;
    /** Numbers of its training images of highest loss. */
    readonly highLoss: Int32Array;
  } | null;
  /** Its set of the baseline on the self-supervised loss; null where it has none, or the set is not the run's. */
  readonly selfSupervised: SelfSupervisedSet | null;
}

/** A set, and how and on what it is evaluated. */
export interface SetEvaluationOptions {
  readonly device: Device;
  /** How to evaluate; its `data` is what `dataset` holds. */
  readonly config: Config;
  /** The real images that probes are fitted to and tested on. */
  readonly dataset: Dataset;
  readonly set: GivenSet;
  /** What messages call the set. */
  readonly name: string;
  readonly teacher: TeacherRun | null;
  /** Keeps the evaluation in its middle; nothing does by default. */
  readonly keeper?: EvaluationKeeper;
  /** Told how many encoders there will be, when everything is ready. */
  started(total: number): void;
  advance(done: number): void;
}

/** An evaluation, and which rows it could not have. */
export interface SetEvaluation {
  readonly evaluation: Evaluation;
  /** Rows that were asked for and cannot be made, each with the reason. */
  readonly leftOut: readonly { readonly row: EvaluationRow; readonly reason: string }[];
}

const REASONS = {
  representations: 'there is no teacher: name the run that has it with --teacher RUN',
  source: 'there is no teacher for the targets of real images: name the run that has it with --teacher RUN',
  highLoss: 'no experts have judged these images: it exists for a run’s own set only',
  selfSupervised: 'it exists only for the set of a run whose evaluate.rows named it',
} as const;

function requireSameShape({ set, dataset, name, config }: SetEvaluationOptions): void {
  const [own, other] = [set.image.join('×'), dataset.image.join('×')];
  if (own === other) return;
  throw new ShapeError(
    `The images of ${name} are ${own} (channels × height × width), but those of ${dataset.name} are ${other} with data.pool = ${config.data.pool}. Name data whose images have the same shape.`,
  );
}

/** The set's targets: its own, or what the teacher makes of its images. */
async function targetsOf({
  set,
  name,
  teacher,
  device,
}: SetEvaluationOptions): Promise<NonNullable<GivenSet['targets']>> {
  const representation = teacher?.config.teacher.representation;
  if (set.targets !== null) {
    const own = set.targets.representation;
    if (representation === undefined || own === representation) return set.targets;
    throw new ShapeError(
      `The targets of ${name} have ${own} dimensions, but the teacher's representations have ${representation}. Name the run whose teacher made them.`,
    );
  }
  if (!teacher?.hasTeacher || representation === undefined) {
    throw new ConfigError(
      `${name} holds no targets. Name the run whose teacher is to make them with --teacher RUN.`,
    );
  }
  const { config, folder } = teacher;
  const source = { config, folder, device, dataset: { image: set.image } };
  return { data: await encodeByTeacher(source, tableSource(set.images, set.count)), representation };
}

/** What the teacher makes of the images that the evaluation is on; null without one. */
async function representationsOf({
  teacher,
  dataset,
  device,
}: SetEvaluationOptions): Promise<Representations | null> {
  if (teacher === null) return null;
  if (teacher.own?.dataset === dataset) return teacher.own.targets;
  if (!teacher.hasTeacher) return null;
  const { config, folder } = teacher;
  const source = { config, folder, device, dataset };
  const { train, test } = dataset;
  return {
    train: await encodeByTeacher(source, train),
    test: await encodeByTeacher(source, test),
  };
}

/** The images that the set was made from, or else those that the evaluation is on. */
function sourceOf(
  dataset: Dataset,
  representations: Representations | null,
  own: TeacherRun['own'],
): SourceImages | null {
  const [from, targets] = own === null ? [dataset, representations] : [own.dataset, own.targets];
  return targets === null ? null : { images: from.train, count: from.train.count, targets: targets.train };
}

/**
 * Evaluates a set under the protocol of a run's evaluation. Subsets and "all data" are taken from the images that the set was
 * made from, where a run brings them, and else from `dataset`.
 *
 * @throws ShapeError when images, targets and teacher do not fit each other; ConfigError when no row can be made.
 */
export async function evaluateSet(options: SetEvaluationOptions): Promise<SetEvaluation> {
  const { device, config, dataset, set, teacher } = options;
  requireSameShape(options);
  const targets = await targetsOf(options);
  const representations = await representationsOf(options);
  const own = teacher?.own ?? null;
  const source = sourceOf(dataset, representations, own);
  const available = {
    representations,
    source,
    highLoss: own?.highLoss ?? null,
    selfSupervised: teacher?.selfSupervised ?? null,
  };
  const lackOf = (row: EvaluationRow): string | undefined => {
    const missing = rowDefinitions[row].needs.find((need) => available[need] === null);
    if (missing !== undefined) return REASONS[missing];
    if (row !== 'randomSubset' || source!.count >= set.count) return undefined;
    return `the data has ${source!.count} images, fewer than the ${set.count} of the set`;
  };
  const leftOut = config.evaluate.rows.flatMap((row) => {
    const reason = lackOf(row);
    return reason === undefined ? [] : [{ row, reason }];
  });
  const rows = config.evaluate.rows.filter((row) => leftOut.every((left) => left.row !== row));
  if (rows.length === 0) {
    throw new ConfigError(
      `None of the rows ${config.evaluate.rows.join(', ')} can be evaluated: ${leftOut[0]!.reason}.`,
    );
  }
  const settings = { ...config.evaluate, rows };
  options.started(encoderCount(settings, dataset));
  const evaluation = await evaluateEncoders({
    device,
    config: { ...config, evaluate: settings },
    dataset,
    ...available,
    synthetic: {
      images: set.images,
      targets: targets.data,
      count: set.count,
      innerStep: set.innerStep,
    },
    representation: targets.representation,
    ...(options.keeper === undefined ? {} : { keeper: options.keeper }),
    advance: options.advance,
  });
  return { evaluation, leftOut };
}

/** Reads what a run knows of the images that its set was made from. */
export async function readOwn(
  folder: ReadableFolder,
  dataset: Dataset,
): Promise<NonNullable<TeacherRun['own']>> {
  const targets = await readTensors(folder, files.targets);
  const subset = await readTensors(folder, files.subset);
  return {
    dataset,
    targets: { train: targets('train').data as Float32Array, test: targets('test').data as Float32Array },
    highLoss: subset('indices').data as Int32Array,
  };
}

/** Whether any of these rows needs the images that the set was made from. */
export const needsSource = (rows: readonly EvaluationRow[]): boolean =>
  rows.some((row) => rowDefinitions[row].needs.some((need) => need === 'source' || need === 'highLoss'));
