/** The trajectories of experts on disk: how much they take, and θ at one epoch of one of them without the rest in memory. */
import { BYTES } from '../../autograd/compile/bufferRange.js';
import { StoreError } from '../../errors.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { matchesSelfSupervised } from '../config/rules.js';
import { requireVersion, TENSORS_VERSION } from '../store/formatVersion.js';
import type { RunFolder } from '../store/runFolder.js';
import { TensorReader } from '../store/tensorReader.js';
import { files, type StageContext, studentModel } from './context.js';

/** The tensor's name in an expert's file: θ at the start and after every epoch [epochs + 1, parameters]. */
export const TRAJECTORY = 'trajectory';

/** The tensor of the same file that holds the loss of each epoch's last batch [epochs]. */
export const LOSSES = 'losses';

/** Bytes of one expert's trajectory. */
export function trajectoryBytes(epochs: number, parameters: number): number {
  return (epochs + 1) * parameters * BYTES;
}

/** The stages that leave trajectories. */
type TrajectoryStage = 'experts' | 'selfSupervisedExperts';

/** What a stage leaves of them: how many, each in which file and of which extents. */
interface TrajectorySet {
  readonly count: number;
  readonly epochs: number;
  readonly parameters: number;
  readonly fileOf: (expert: number) => string;
}

function trajectorySet(
  source: Pick<StageContext, 'config' | 'dataset'>,
  stage: TrajectoryStage,
): TrajectorySet {
  const { experts, selfSupervised, teacher } = source.config;
  const student = studentModel(source);
  if (stage === 'experts') {
    return { ...experts, parameters: student.parameters.total, fileOf: files.expert };
  }
  // Student and projector are trained together.
  const { total } = withProjector(student, teacher);
  return { ...selfSupervised.experts, parameters: total, fileOf: files.selfSupervisedExpert };
}

/** The files that hold the trajectories of a run, with their bytes. */
function trajectoryFiles(
  source: Pick<StageContext, 'config' | 'dataset'>,
): { file: string; bytes: number }[] {
  const stages: TrajectoryStage[] = ['experts'];
  if (matchesSelfSupervised(source.config)) stages.push('selfSupervisedExperts');
  return stages.flatMap((stage) => {
    const { count, epochs, parameters, fileOf } = trajectorySet(source, stage);
    const bytes = trajectoryBytes(epochs, parameters);
    return Array.from({ length: count }, (_, expert) => ({ file: fileOf(expert), bytes }));
  });
}

/**
 * Looks whether the disk holds the trajectories that are not there yet; a file that is there already will be kept or
 * replaced.
 *
 * @throws StoreError with both sizes where it does not.
 */
export async function requireSpace(
  context: Pick<StageContext, 'config' | 'dataset'> & { readonly folder: RunFolder },
): Promise<void> {
  const { folder } = context;
  const wanted = trajectoryFiles(context);
  let needed = 0;
  for (const { file, bytes } of wanted) needed += Math.max(0, bytes - (await folder.sizeOf(file)));
  const free = await folder.freeBytes();
  if (free === null || needed <= free) return;
  const others = matchesSelfSupervised(context.config) ? ', or those of selfSupervised.experts' : '';
  throw new StoreError(
    `The trajectories of ${wanted.length} experts need ${formatBytes(needed)} more in ${folder.path}, and ${formatBytes(free)} are free there. ` +
      `Free some, choose a folder on another disk with --out DIR, or lower experts.count or experts.epochs${others}.`,
  );
}

/** Reads the checkpoints of one stage's experts by position: a file's header once, then only what is asked for. */
export class Trajectories {
  readonly #folder: Pick<RunFolder, 'pathOf'>;
  readonly #stage: TrajectoryStage;
  readonly #set: TrajectorySet;
  readonly #readers = new Map<number, Promise<TensorReader>>();

  constructor(
    context: Pick<StageContext, 'config' | 'dataset'> & { readonly folder: Pick<RunFolder, 'pathOf'> },
    stage: TrajectoryStage = 'experts',
  ) {
    this.#folder = context.folder;
    this.#stage = stage;
    this.#set = trajectorySet(context, stage);
  }

  /** θ [parameters] of an expert at the start (epoch 0) or after an epoch. Throws `StoreError` and `DataError`. */
  async checkpoint(expert: number, epoch: number): Promise<Float32Array> {
    const reader = await this.#reader(expert);
    return await reader.readRows(TRAJECTORY, epoch, 1);
  }

  /** The loss of each epoch's last batch [epochs], of the stage `experts`. Throws `StoreError` and `DataError`. */
  async losses(expert: number): Promise<Float32Array> {
    const reader = await this.#reader(expert);
    return await reader.readRows(LOSSES, 0, this.#set.epochs);
  }

  #reader(expert: number): Promise<TensorReader> {
    const known = this.#readers.get(expert);
    if (known !== undefined) return known;
    const opening = this.#open(this.#set.fileOf(expert));
    this.#readers.set(expert, opening);
    return opening;
  }

  async #open(file: string): Promise<TensorReader> {
    const path = this.#folder.pathOf(file);
    const reader = await TensorReader.open(path);
    requireVersion(path, reader.metadata.version, TENSORS_VERSION);
    const wanted = [this.#set.epochs + 1, this.#set.parameters];
    if (reader.shapeOf(TRAJECTORY)?.join() !== wanted.join()) {
      throw new StoreError(
        `${path} holds no trajectory of [${wanted.join(', ')}]. Give the run's command again with --force ${this.#stage}.`,
      );
    }
    return reader;
  }
}
