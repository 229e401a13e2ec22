/** Whether a process works in a run's folder, found out without taking its lock. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A lock that was not renewed for so long belongs to nobody that lives. */
const STALE_SECONDS = 30;

const OWNER = /^\.owner-([0-9a-f]+)-(\d+)$/;
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 12);

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the folder's lock is held; a dead process of this machine holds none. */
export async function isHeld(folder: string): Promise<boolean> {
  const lock = await stat(join(folder, '.lock')).catch(() => null);
  if (lock === null || Date.now() - lock.mtimeMs > 1000 * STALE_SECONDS) return false;
  const owners = (await readdir(folder).catch(() => [])).flatMap((name) => {
    const [, where, processId] = OWNER.exec(name) ?? [];
    return where === machine ? [Number(processId)] : [];
  });
  return owners.length === 0 || owners.some(isAlive);
}
