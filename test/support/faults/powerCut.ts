/**
 * What a power cut leaves of a folder whose process was watched by a journal. The file system is taken to be one with an ordered
 * journal, as ext4, XFS, Btrfs, APFS and NTFS are: names appear, change and go in the order in which they did; those
 * since the last flush of any file may be undone, the newest first; and bytes that were not flushed may be missing or zeros.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Change, Done } from './journal.js';

/** A change with whether it was finished, and how many lines of the journal came before it and before its end. */
interface Entry extends Change {
  readonly begunAt: number;
  doneAt: number | null;
}

function readJournal(keep: string): Entry[] {
  const entries = new Map<number, Entry>();
  const lines = readFileSync(join(keep, 'journal.jsonl'), 'utf8').split('\n').slice(0, -1);
  lines.forEach((line, index) => {
    const read = JSON.parse(line) as Change | Done;
    if ('done' in read) entries.get(read.done)!.doneAt = index;
    else entries.set(read.id, { ...read, begunAt: index, doneAt: null });
  });
  return [...entries.values()];
}

/** Bytes of each file with unflushed ones that are flushed, by its newest name. What was there at first is flushed. */
function unflushed(entries: readonly Entry[]): Map<string, number> {
  const flushed = new Map<string, number>();
  for (const { kind, path, to, bytes = 0, isFlushed, doneAt } of entries) {
    if (kind === 'create' || kind === 'write') {
      const before = Math.min(bytes, flushed.get(path) ?? bytes);
      if (isFlushed && doneAt !== null) flushed.delete(path);
      else flushed.set(path, before);
    } else if (kind === 'sync') {
      if (doneAt !== null) flushed.delete(path);
    } else if (kind === 'remove') {
      flushed.delete(path);
    } else if (kind === 'rename') {
      const moved = flushed.get(path);
      flushed.delete(path);
      if (moved === undefined) flushed.delete(to!);
      else flushed.set(to!, moved);
    }
  }
  return flushed;
}

function loseBytes(path: string, kept: number, asZeros: boolean): void {
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, Math.min(kept, size));
    if (asZeros) ftruncateSync(file, size);
  } finally {
    closeSync(file);
  }
}

function undo(folder: string, keep: string, { kind, path, to, saved }: Entry): void {
  const at = join(folder, path);
  const restore = (target: string): void => {
    if (saved !== undefined && !existsSync(target)) linkSync(join(keep, saved), target);
  };
  if (kind === 'create') rmSync(at, { force: true });
  else if (kind === 'makeFolder' && existsSync(at) && readdirSync(at).length === 0) rmdirSync(at);
  else if (kind === 'remove') restore(at);
  else if (kind === 'rename') {
    const target = join(folder, to!);
    // The process may have ended before the system did what was asked.
    if (existsSync(at) || !existsSync(target)) return;
    renameSync(target, at);
    restore(target);
  }
}

/**
 * Takes from a folder what a power cut would. `draw` gives numbers from 0 up to 1, and says how much is lost.
 *
 * @returns how many changes of names were undone, and how many files lost bytes.
 */
export function cutPower(
  folder: string,
  keep: string,
  draw: () => number,
): { readonly undone: number; readonly cutShort: number } {
  const entries = readJournal(keep);
  let cutShort = 0;
  for (const [path, flushed] of unflushed(entries)) {
    const file = join(folder, path);
    if (!existsSync(file) || !statSync(file).isFile()) continue;
    const { size } = statSync(file);
    const kept = flushed + Math.floor(draw() * (size - flushed));
    const asZeros = draw() < 0.5;
    if (kept >= size) continue;
    loseBytes(file, kept, asZeros);
    cutShort++;
  }
  // A flush takes all changes of names before it to disk.
  const lastFlush = Math.max(
    -1,
    ...entries
      .filter(({ kind, isFlushed, doneAt }) => (kind === 'sync' || isFlushed) && doneAt !== null)
      .map(({ begunAt }) => begunAt),
  );
  const names = entries.filter(
    ({ kind, doneAt }) => kind !== 'write' && kind !== 'sync' && (doneAt === null || doneAt > lastFlush),
  );
  const keptNames = Math.floor(draw() * (names.length + 1));
  const lost = names.slice(keptNames).reverse();
  for (const entry of lost) undo(folder, keep, entry);
  return { undone: lost.length, cutShort };
}
