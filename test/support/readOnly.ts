/** Folders that turn read-only while they are used, for root too, whom no permission stops. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A way to turn a folder, and all in it, read-only and back. */
export type TurnFolder = (folder: string, way: 'read-only' | 'writable') => void;

const byAttribute: TurnFolder = (folder, way) =>
  void execFileSync('chattr', ['-R', way === 'read-only' ? '+i' : '-i', folder], { stdio: 'pipe' });

const byMode: TurnFolder = (folder, way) => {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const each of [folder, ...folders]) chmodSync(each, way === 'read-only' ? 0o555 : 0o755);
};

/**
 * The way that works here; null where there is none.
 *
 * @param place a folder on the file system in question
 */
export function turnFolder(place: string): TurnFolder | null {
  if (process.getuid?.() !== 0) return byMode;
  const trial = mkdtempSync(join(place, 'trial-'));
  try {
    byAttribute(trial, 'read-only');
    byAttribute(trial, 'writable');
    return byAttribute;
  } catch {
    return null;
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}
