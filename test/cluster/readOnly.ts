/** Folders that turn read-only, for root too, whom no permission stops. */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';

export interface Turnable {
  /** Makes it read-only, or writable again. Throws while somebody has a file open there to write. */
  turn(way: 'read-only' | 'writable'): void;
  /** Gives the folder back as it was. */
  release(): void;
}

const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'pipe' });

/** Makes a folder that can be turned; null where this machine lets nobody do that. */
export function turnable(folder: string): Turnable | null {
  if (process.getuid!() !== 0) {
    return {
      turn: (way) => chmodSync(folder, way === 'read-only' ? 0o555 : 0o755),
      release: () => chmodSync(folder, 0o755),
    };
  }
  try {
    mount('--bind', folder, folder);
  } catch {
    return null;
  }
  return {
    turn: (way) => mount('-o', `remount,bind,${way === 'read-only' ? 'ro' : 'rw'}`, folder),
    release: () => void execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' }),
  };
}
