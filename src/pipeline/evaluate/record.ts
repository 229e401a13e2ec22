/** evaluation.json: what an evaluation measured, every seed by itself. */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { transferStudent } from '../config/sections/evaluate.js';
import { newerFile } from '../store/formatVersion.js';
import { parseJson } from '../store/strictJson.js';

const VERSION = 2;

/** Rows of a table, and architectures, that an evaluation may have. */
const MOST = 1000;

/** At most so many entries are looked at one by one: each could have a fault of its own. */
const short = z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= MOST);

/** One number a seed. */
const numbers = z.custom<number[]>(
  (value) => Array.isArray(value) && value.length > 0 && value.length <= MOST && value.every(Number.isFinite),
);

const tableSchema = z.object({
  rows: short.pipe(
    z.array(
      z.object({
        /** The row as tables show it, such as `MKDT`. */
        name: z.string(),
        /** Share of the training labels that the probe saw. */
        labels: z.number(),
        /** Test accuracy of each evaluation seed, 0 to 1; seeds are in the same order in every row. */
        accuracies: numbers,
      }),
    ),
  ),
  /** Equation (3): each seed's mean squared error to the teacher's representations of the test images. */
  heldOut: short.pipe(z.array(z.object({ name: z.string(), errors: numbers }))),
});

/** What was measured with one architecture. */
export type EvaluationTable = z.infer<typeof tableSchema>;

const evaluationSchema = z.object({
  version: z.literal(VERSION),
  ...tableSchema.shape,
  /** The same with other architectures, pre-trained on the same sets. */
  transfer: short.pipe(z.array(z.object({ student: transferStudent, ...tableSchema.shape }))),
});

/** An evaluation: the student's table, and one for each architecture that it was transferred to. */
export type Evaluation = z.infer<typeof evaluationSchema>;

/** The evaluation that these tables make. */
export function evaluationOf(own: EvaluationTable, transfer: Evaluation['transfer']): Evaluation {
  return { version: VERSION, ...own, transfer };
}

/** Whether every row, of other architectures too, has so many seeds. */
export const hasSeeds = (evaluation: Evaluation, seeds: number): boolean =>
  [evaluation, ...evaluation.transfer].every(
    ({ rows, heldOut }) =>
      rows.every(({ accuracies }) => accuracies.length === seeds) &&
      heldOut.every(({ errors }) => errors.length === seeds),
  );

export const encodeEvaluation = (evaluation: Evaluation): string =>
  `${JSON.stringify(evaluation, null, 2)}\n`;

/**
 * Reads an evaluation's text.
 *
 * @param path where it was read, for the message
 * @throws StoreError when it is no evaluation, or one of another version.
 */
export function decodeEvaluation(text: string, path: string): Evaluation {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new StoreError(`${path} is damaged: it is not JSON. Delete it and run again.`, { cause });
  }
  const version = z.object({ version: z.number() }).safeParse(value).data?.version;
  if (version !== undefined && version > VERSION) throw newerFile(path, version, VERSION);
  if (version !== undefined && version !== VERSION) {
    throw new StoreError(
      `${path} is of version ${version}, and this program reads version ${VERSION}. Give the run's command again: it evaluates anew, and keeps what it distilled.`,
    );
  }
  const checked = evaluationSchema.safeParse(value);
  if (checked.success) return checked.data;
  throw new StoreError(`${path} is damaged; delete it and run again.`, { cause: checked.error });
}
