/** Looking into folders: sorted by name, hidden files left out, so that every machine sees the same order. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { fileLimits, readBounded } from '../store/boundedFile.js';
import { isWithin } from '../store/withinFolder.js';
import { unreadable } from './rawImages.js';

/** What a folder holds; names in the order of their code points. */
export interface Listing {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** The folder that a source needs. Throws `DataError` where none is named. */
export function requireFolder(folder: string | null, source: string, content: string): string {
  if (folder !== null) return folder;
  throw new DataError(`${source} is read from ${content}, and none is given. Name it with --data DIR.`);
}

/**
 * Files and folders in `folder`; links count as what they lead to. Throws `DataError`, naming the folder, where it cannot be
 * read, and where it or a link in it leads out of `root`, the folder that the user named: what lies elsewhere was not given.
 */
export async function listFolder(folder: string, root = folder): Promise<Listing> {
  let entries: Dirent[];
  let inside: string;
  try {
    inside = await realpath(root);
    await requireInside(folder, inside);
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof DataError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'ENOTDIR'
          ? 'is not a folder'
          : `cannot be read (${code})`;
    throw new DataError(
      `The folder ${folder} ${reason}. Give the folder of the dataset's files with --data DIR.`,
      {
        cause: error,
      },
    );
  }
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) await requireInside(path, inside).catch(unlessDangling);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(path)));
    (isFolder ? folders : files).push(entry.name);
  }
  // The default order compares code units, whatever the machine's language.
  return { files: files.sort(), folders: folders.sort() };
}

async function requireInside(path: string, root: string): Promise<void> {
  const place = await realpath(path);
  if (isWithin(place, root)) return;
  throw new DataError(
    `${path} is a link that leads out of the folder, to ${place}. Put what it leads to in its place, for example by copying the folder with cp -rL.`,
  );
}

/** What leads nowhere is told where it is read, if it is. */
function unlessDangling(error: unknown): void {
  if (error instanceof DataError) throw error;
}

async function leadsToFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

/** A regular file's bytes, at most `limit` of them. Throws `DataError`, naming the file. */
export async function readBytes(
  path: string,
  limit: number = fileLimits.data,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readBounded(path, limit);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** A text file's lines, trimmed, without the empty ones. Throws `DataError`, naming the file. */
export async function readLines(path: string): Promise<string[]> {
  return new TextDecoder()
    .decode(await readBytes(path, fileLimits.lines))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
