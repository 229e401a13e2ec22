/**
 * Versions of the files that a run leaves and reads again. Tensor files and result.json say theirs; without one they are of version
 * 1, as all were at first. The manifest, checkpoints, evaluation.json, standardisation.json and study.json have versions of their
 * own, beside what reads them. Of config.yaml, events.jsonl and timings.json the manifest's version tells.
 */
import { z } from 'zod';
import { StoreError } from '../../errors.js';

/** Of the teacher, targets, experts, subset, synthetic sets, snapshots and representations; in their metadata. */
export const TENSORS_VERSION = 1;
/** Of result.json. */
export const RESULT_VERSION = 1;

/** What a tensor file of a run says beside its tensors. */
export const tensorsMetadata = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...more,
  version: String(TENSORS_VERSION),
});

/** A file that a later version of this program made: that one reads it. */
export class NewerFileError extends StoreError {}

/** The error of such a file. */
export const newerFile = (path: string, version: number | string, known: number): NewerFileError =>
  new NewerFileError(
    `${path} is of version ${version}, written by a newer hypergrad; this one reads versions up to ${known}. Use that hypergrad, or choose another folder with --out DIR.`,
  );

/** The version that a JSON file says it has. */
export const versionOf = (json: unknown): unknown =>
  z.looseObject({ version: z.unknown() }).safeParse(json).data?.version;

/**
 * Looks at the version that a file says it has; undefined stands for 1.
 *
 * @throws StoreError where it is newer than `known`, or none at all.
 */
export function requireVersion(path: string, version: unknown, known: number): void {
  if (version === undefined) return;
  const number = Number(version);
  if (!Number.isInteger(number) || number < 1) {
    throw new StoreError(
      `${path} is damaged: it says that its version is ${JSON.stringify(version)}. Delete it and run the same command again.`,
    );
  }
  if (number > known) throw newerFile(path, number, known);
}
