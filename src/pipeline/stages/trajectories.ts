/** The experts' trajectories on disk: how much they take, and θ at one epoch of one of them without the rest in memory. */
import { StoreError } from '../../errors.js';
import { formatBytes } from '../../gpu/bufferPool.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { matchesSelfSupervised } from '../config/rules.js';
import { requireVersion, TENSORS_VERSION } from '../store/formatVersion.js';
import type { RunFolder } from '../store/runFolder.js';
import { TensorReader } from '../store/tensorReader.js';
import { files, type StageContext, studentModel } from './context.js';

const BYTES = 4;

/** The tensor's name in an expert's file: θ at the start and after every epoch [epochs + 1, parameters]. */
export const TRAJECTORY = 'trajectory';

/** The tensor of the same file that holds the loss of each epoch's last batch [epochs]. */
export const LOSSES = 'losses';

/** Bytes of one expert's trajectory. */
export function trajectoryBytes(epochs: number, parameters: number): number {
  return (epochs + 1) * parameters * BYTES;
}

/** The files that hold the trajectories of a run, with their bytes. */
function trajectoryFiles(
  source: Pick<StageContext, 'config' | 'dataset'>,
): { file: string; bytes: number }[] {
  const { experts, selfSupervised, teacher } = source.config;
  const student = studentModel(source);
  const filesOf = (
    nameOf: (expert: number) => string,
    { count, epochs }: { readonly count: number; readonly epochs: number },
    parameters: number,
  ) =>
    Array.from({ length: count }, (_, expert) => ({
      file: nameOf(expert),
      bytes: trajectoryBytes(epochs, parameters),
    }));
  const own = filesOf(files.expert, experts, student.parameters.total);
  if (!matchesSelfSupervised(source.config)) return own;
  const { total } = withProjector(student, teacher);
  return [...own, ...filesOf(files.selfSupervisedExpert, selfSupervised.experts, total)];
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
  throw new StoreError(
    `The trajectories of ${wanted.length} experts need ${formatBytes(needed)} more in ${folder.path}, and ${formatBytes(free)} are free there. ` +
      'Free some, choose a folder on another disk with --out DIR, or lower experts.count or experts.epochs.',
  );
}

/** Reads checkpoints by position: a file's header once, then only what is asked for. */
export class Trajectories {
  readonly #folder: RunFolder;
  readonly #shape: readonly [checkpoints: number, parameters: number];
  readonly #readers = new Map<number, Promise<TensorReader>>();

  constructor(context: StageContext) {
    this.#folder = context.folder;
    this.#shape = [context.config.experts.epochs + 1, studentModel(context).parameters.total];
  }

  /** θ [parameters] of an expert at the start (epoch 0) or after an epoch. Throws `StoreError` and `DataError`. */
  async checkpoint(expert: number, epoch: number): Promise<Float32Array> {
    const reader = await this.#reader(expert);
    return await reader.readRows(TRAJECTORY, epoch, 1);
  }

  /** The loss of each epoch's last batch [epochs]. Throws `StoreError` and `DataError`. */
  async losses(expert: number): Promise<Float32Array> {
    const reader = await this.#reader(expert);
    return await reader.readRows(LOSSES, 0, this.#shape[0] - 1);
  }

  #reader(expert: number): Promise<TensorReader> {
    const known = this.#readers.get(expert);
    if (known !== undefined) return known;
    const opening = this.#open(files.expert(expert));
    this.#readers.set(expert, opening);
    return opening;
  }

  async #open(file: string): Promise<TensorReader> {
    const path = this.#folder.pathOf(file);
    const reader = await TensorReader.open(path);
    requireVersion(path, reader.metadata.version, TENSORS_VERSION);
    const shape = reader.shapeOf(TRAJECTORY);
    if (shape === undefined || shape.join() !== this.#shape.join()) {
      throw new StoreError(
        `${path} holds no trajectory of [${this.#shape.join(', ')}]; delete the run folder and run again.`,
      );
    }
    return reader;
  }
}
