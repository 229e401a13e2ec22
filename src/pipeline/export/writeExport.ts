/** Writing an exported set into a folder of its own. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { plainDisk } from '../store/disk.js';
import { exists } from '../store/exists.js';
import { dataCard } from './card.js';
import type { ExportedSet } from './exportedSet.js';
import { type ExportedFiles, type ExportFormat, exportedFiles, isPicture, PICTURES } from './formats.js';

/** Name of the data card's file: what pages for data sets show first. */
const CARD = 'README.md';

export interface ExportOptions {
  readonly formats: readonly ExportFormat[];
  /** The folder; made where there is none. */
  readonly out: string;
  /** Whether files that are there already are replaced. */
  readonly force: boolean;
  /** Version of the program, for the card. */
  readonly version: string;
}

/** Pictures of an earlier export that new ones do not replace; none where no pictures are written. */
async function leftPictures(out: string, files: ExportedFiles): Promise<string[]> {
  if (![...files.keys()].some(isPicture)) return [];
  // A folder that is not there, or cannot be looked into, is told by whoever writes into it.
  const there = await readdir(join(out, PICTURES)).catch(() => []);
  return there.map((name) => `${PICTURES}/${name}`).filter((name) => isPicture(name) && !files.has(name));
}

/**
 * Writes a set in each of the formats, and its data card. Pictures of a larger set that was written there before go: whoever
 * reads all that are there would take them for this one's.
 *
 * @returns names of the files, relative to `out`
 * @throws StoreError when a file is there already and `force` is not set, or cannot be written.
 */
export async function writeExport(set: ExportedSet, options: ExportOptions): Promise<string[]> {
  const { formats, out, force, version } = options;
  const files = new Map<string, Uint8Array>();
  for (const format of formats) {
    for (const [name, bytes] of await exportedFiles(set, format)) files.set(name, bytes);
  }
  const card = new TextEncoder().encode(dataCard(set, formats, files, version));
  const all: ExportedFiles = new Map([[CARD, card], ...files]);
  if (!force) {
    for (const name of all.keys()) {
      if (await exists(join(out, name))) {
        throw new StoreError(
          `${join(out, name)} is there already. Choose another folder with --out, or replace it with --force.`,
        );
      }
    }
  }
  for (const name of await leftPictures(out, all)) await plainDisk.remove(join(out, name));
  for (const [name, bytes] of all) await plainDisk.writeWhole(join(out, name), bytes);
  return [...all.keys()];
}
