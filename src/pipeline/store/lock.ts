/** The lock of a run's folder: one writer at a time, and a killed writer does not hold up the next. */
import { createHash } from 'node:crypto';
import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { StoreError } from '../../errors.js';

/** A lock that its owner has not renewed for so long is taken over, from another machine too. */
const STALE_MILLISECONDS = 30_000;

const OWNER_PREFIX = '.owner-';

/** Names owners by machine and process: on the same machine it can be seen whether the process still lives. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 12);

export interface FolderLock {
  /** Whether the lock is still held: false once another writer has taken it over. */
  held(): boolean;
  release(): Promise<void>;
}

/** Locks a folder. Throws `StoreError` when another process, or this one, has it locked. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const lockfilePath = join(folder, '.lock');
  const ownerFile = join(folder, `${OWNER_PREFIX}${machine}-${process.pid}`);
  let held = true;
  let unlock: () => Promise<void>;
  try {
    await clearDeadOwner(folder, lockfilePath);
    unlock = await lock(folder, {
      lockfilePath,
      stale: STALE_MILLISECONDS,
      onCompromised: () => {
        held = false;
      },
    });
    await writeFile(ownerFile, '');
  } catch (error) {
    throw await lockError(folder, error);
  }
  return {
    held: () => held,
    release: async () => {
      if (!held) return;
      held = false;
      await rm(ownerFile, { force: true });
      await unlock();
    },
  };
}

async function lockError(folder: string, error: unknown): Promise<StoreError> {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ELOCKED') {
    return new StoreError(
      `The run folder ${folder} cannot be locked (${code ?? message}). Choose a folder that can be written with --out DIR.`,
      { cause: error },
    );
  }
  const [owner] = await ownersOnThisMachine(folder);
  return new StoreError(
    `The run folder ${folder} is in use by another process${owner ? ` (${owner.process})` : ''}. Wait for it to end, or choose another folder; if it was killed, try again in ${STALE_MILLISECONDS / 1000} seconds.`,
    { cause: error },
  );
}

async function ownersOnThisMachine(folder: string): Promise<{ file: string; process: number }[]> {
  const prefix = `${OWNER_PREFIX}${machine}-`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  return names.map((name) => ({ file: join(folder, name), process: Number(name.slice(prefix.length)) }));
}

/** Removes the lock of a process that no longer lives. Removing its owner file succeeds for one contender only. */
async function clearDeadOwner(folder: string, lockfilePath: string): Promise<void> {
  for (const owner of await ownersOnThisMachine(folder)) {
    if (isAlive(owner.process)) continue;
    const removed = await rm(owner.file).then(
      () => true,
      () => false,
    );
    if (removed) await rmdir(lockfilePath).catch(() => undefined);
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
