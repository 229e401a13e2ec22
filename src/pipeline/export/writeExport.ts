/** Writing an exported set into a folder of its own. */

import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { plainDisk } from '../store/disk.js';
import { exists } from '../store/exists.js';
import { dataCard } from './card.js';
import type { ExportedSet } from './exportedSet.js';
import { type ExportedFiles, type ExportFormat, exportedFiles } from './formats.js';

/** Name of the data card's file: what pages for data sets show first. */
export const CARD = 'README.md';

export interface ExportOptions {
  readonly formats: readonly ExportFormat[];
  /** The folder; made where there is none. */
  readonly out: string;
  /** Whether files that are there already are replaced. */
  readonly force: boolean;
  /** Version of the program, for the card. */
  readonly version: string;
}

/**
 * Writes a set in each of the formats, and its data card.
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
  for (const [name, bytes] of all) await plainDisk.writeWhole(join(out, name), bytes);
  return [...all.keys()];
}
