/**
 * representations.safetensors: what the encoders of the first evaluation seed make of some held-out images, so that a report can
 * show them beside the teacher's. A student's output is trained to be the teacher's representation, so that all of them lie in one
 * space.
 */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import type { Checkpoint } from '../checkpoints.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import type { Dataset } from '../data/dataset.js';
import type { ShownRepresentations } from '../report/types.js';
import {
  files,
  floatTensor,
  integerTensor,
  type ReadableFolder,
  takeRows,
  writeTensors,
} from '../stages/context.js';
import { requireVersion, TENSORS_VERSION } from '../store/formatVersion.js';
import type { RunFolder } from '../store/runFolder.js';
import { decodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import { parseJson } from '../store/strictJson.js';
import { rowFacts } from './rowNames.js';
import { rowDefinitions } from './rows.js';

/** Images that are kept: as many as a picture of points still shows one by one. */
export const SHOWN_IMAGES = 300;
/** Classes that are told apart by colour. */
export const SHOWN_CLASSES = 10;

/** Names of tensors beside those of rows. */
const IMAGES = 'images';
const LABELS = 'labels';
const TEACHER = 'teacher';
/** How rows are called in a checkpoint, beside a training's tensors. */
const KEPT = 'shown.';

/**
 * Numbers of the test images whose representations are kept, ascending: drawn by the seed; with labels, of ten classes at most.
 */
export function shownImages(
  { count, labels }: Pick<Dataset['test'], 'count' | 'labels'>,
  seed: number,
): Int32Array {
  const order = permutation({ seed, purpose: 'evaluate.shownImages', index: 0 }, count);
  if (labels === null) return order.slice(0, SHOWN_IMAGES).sort();
  const classes = new Set([...new Set(Array.from(order, (image) => labels[image]!))].slice(0, SHOWN_CLASSES));
  return order
    .filter((image) => classes.has(labels[image]!))
    .slice(0, SHOWN_IMAGES)
    .sort();
}

/** Gathers what encoders make of the shown images, one row of the evaluation after the other. */
export class ShownOutputs {
  readonly #images: Int32Array;
  readonly #representation: number;
  readonly #rows = new Map<EvaluationRow, NamedTensor>();

  /**
   * @param images numbers of the test images that are shown
   * @param representation length D
   */
  constructor(images: Int32Array, representation: number) {
    this.#images = images;
    this.#representation = representation;
  }

  /** Takes an encoder's outputs for all test images [count, D]; those of other seeds than the first are left. */
  take(row: EvaluationRow, repetition: number, outputs: Float32Array): void {
    if (repetition === 0) this.#rows.set(row, this.#shown(outputs));
  }

  /** What a checkpoint has to keep, by name. */
  get kept(): Map<string, NamedTensor> {
    return new Map([...this.#rows].map(([row, tensor]) => [`${KEPT}${row}`, tensor]));
  }

  /**
   * Goes on from a checkpoint of an evaluation of these rows. False where it lacks one of an encoder that is done: one of an
   * earlier version, from which nothing can go on.
   */
  restore({ tensors, done }: Checkpoint, rows: readonly EvaluationRow[]): boolean {
    for (const row of rows.slice(0, done).filter((each) => rowDefinitions[each].prepare !== null)) {
      const tensor = tensors.get(`${KEPT}${row}`);
      if (tensor === undefined) return false;
      this.#rows.set(row, tensor);
    }
    return true;
  }

  /** Writes the file. `teacher` is its representation of all test images [count, D]. */
  async write(folder: RunFolder, teacher: Float32Array, { test, classes }: Dataset): Promise<void> {
    const images = this.#images;
    const { labels } = test;
    const tensors: [string, NamedTensor][] = [
      [IMAGES, integerTensor(images, images.length)],
      [TEACHER, this.#shown(teacher)],
      ...this.#rows,
    ];
    if (labels !== null) {
      const shown = Int32Array.from(images, (image) => labels[image]!);
      tensors.push([LABELS, integerTensor(shown, shown.length)]);
    }
    await writeTensors(folder, files.representations, tensors, { classes: JSON.stringify(classes) });
  }

  #shown(all: Float32Array): NamedTensor {
    const rows = takeRows(all, this.#representation, this.#images);
    return floatTensor(rows, this.#images.length, this.#representation);
  }
}

const damaged = (path: string, cause?: unknown): StoreError =>
  new StoreError(`${path} is damaged. Give the run's command again: it makes the stage evaluate again.`, {
    cause,
  });

/**
 * Reads the file.
 *
 * @throws DataError where it is no tensor file; StoreError where it does not hold what it should, or is of a newer version.
 */
export async function readRepresentations(folder: ReadableFolder): Promise<ShownRepresentations> {
  const path = folder.pathOf(files.representations);
  const { tensors, metadata } = decodeSafetensors(await folder.readBytes(files.representations), path);
  requireVersion(path, metadata.version, TENSORS_VERSION);
  const teacher = tensors.get(TEACHER);
  const [count = 0, representation = 0] = teacher?.shape ?? [];
  const integers = (name: string): Int32Array | null => {
    const tensor = tensors.get(name);
    if (tensor === undefined) return null;
    if (tensor.data instanceof Int32Array && tensor.data.length === count) return tensor.data;
    throw damaged(path);
  };
  const rows = (Object.keys(rowFacts) as EvaluationRow[]).filter((row) => row !== TEACHER);
  const encoders = [TEACHER, ...rows].flatMap((row) => {
    const tensor = tensors.get(row);
    if (tensor === undefined) return [];
    const { data, shape } = tensor;
    const fits = data instanceof Float32Array && shape[0] === count && shape[1] === representation;
    if (!fits || !data.every(Number.isFinite)) throw damaged(path);
    return [{ name: rowFacts[row as EvaluationRow].name, values: data }];
  });
  const images = integers(IMAGES);
  if (images === null || teacher?.shape.length !== 2) throw damaged(path);
  let classes: readonly string[];
  try {
    classes = z.array(z.string()).parse(parseJson(metadata.classes ?? '[]'));
  } catch (cause) {
    throw damaged(path, cause);
  }
  return { images, labels: integers(LABELS), classes, representation, encoders };
}
