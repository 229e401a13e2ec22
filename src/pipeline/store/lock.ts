/**
 * The lock of a run's folder: one writer at a time, and a killed writer does not hold up the next. The folder `.lock` is made by one
 * contender only. Who takes over from whom is decided by the owners' files: removing one succeeds for one contender only, and whoever
 * misses its own, as after a long suspension, has been taken over from and writes nothing any more. The package proper-lockfile
 * decides by age alone: it takes over from a process that is only suspended, and lets two contenders do so at once.
 */
import { readFile, rm, rmdir, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreError } from '../../errors.js';
import { diskOver } from './disk.js';
import { writingFailure } from './failures.js';
import type { FileSystem } from './fileSystem.js';
import {
  describeOwner,
  type FoundOwner,
  LOCK,
  lockAge,
  type OwnerState,
  ourselves,
  ownerFile,
  ownersOf,
  STALE_SECONDS,
  stateOf,
} from './lockOwner.js';

/** A lock is renewed so often. */
const RENEW_MILLISECONDS = 10_000;

/**
 * A contender that finds a lock without an owner's file looks again after so long. When it has looked so often, whoever made the lock
 * was killed before it could say so, and the lock is taken away; after so many looks in all it gives up.
 */
const WAIT_MILLISECONDS = 50;
const WAITS_FOR_OWNER = 40;
const MOST_WAITS = 80;

export interface FolderLock {
  /** Throws `StoreError` once the lock is released, or another process has taken it over. */
  check(): Promise<void>;
  /** Gives the folder free, if it is ours still. Never rejects: what stays behind names a process that will have ended. */
  release(): Promise<void>;
}

/** Locks a folder. Throws `StoreError` when another process, or this one, has it locked, and when it cannot be written. */
export async function lockFolder(folder: string, system: FileSystem): Promise<FolderLock> {
  const lock = join(folder, LOCK);
  await makeLock(folder, system);
  const owner = ownerFile(folder, process.pid);
  const said = `${JSON.stringify(await ourselves())}\n`;
  try {
    await diskOver(system).writeWhole(owner, said);
  } catch (error) {
    await rmdir(lock).catch(() => undefined);
    throw error;
  }
  // Two that took over an abandoned lock at once both see the other here, or one of them does.
  const [other] = await livingOwners(folder, owner);
  if (other !== undefined) {
    await rm(owner, { force: true });
    throw await inUse(folder, other);
  }
  const renewal = setInterval(() => {
    const now = new Date();
    // Where that fails for long, others take over, and the next check tells.
    utimes(lock, now, now).catch(() => undefined);
  }, RENEW_MILLISECONDS).unref();
  const isOurs = async (): Promise<boolean> => (await readFile(owner, 'utf8').catch(() => '')) === said;
  let isReleased = false;
  return {
    async check() {
      if (isReleased) throw new StoreError(`The run folder ${folder} is closed; nothing is written there.`);
      if (await isOurs()) return;
      const [next] = await ownersOf(folder).catch(() => []);
      throw new StoreError(
        `The run folder ${folder} was taken over by ${next === undefined ? 'another process' : describeOwner(next)}, while this one was held up; nothing more is written there. Wait for that process to end and run the same command again.`,
      );
    },
    async release() {
      if (isReleased) return;
      isReleased = true;
      clearInterval(renewal);
      if (!(await isOurs())) return;
      // In this order: an owner's file without a lock would be nobody's.
      await rm(owner, { force: true }).catch(() => undefined);
      await rmdir(lock).catch(() => undefined);
    },
  };
}

/** Makes `.lock`, in the place of one whose owner is dead. */
async function makeLock(folder: string, system: FileSystem): Promise<void> {
  const lock = join(folder, LOCK);
  for (let waits = 0; ; waits++) {
    try {
      await clearDeadOwners(folder);
      await system.makeFolder(lock);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writingFailure(lock, 'created', error);
    }
    const [living] = await livingOwners(folder);
    if (living !== undefined || waits === MOST_WAITS) throw await inUse(folder, living);
    // Nobody says that it is theirs: somebody is just beginning, or was killed there.
    if (waits === WAITS_FOR_OWNER) await rmdir(lock).catch(() => undefined);
    else await wait(WAIT_MILLISECONDS);
  }
}

/** Removes the locks of owners that are dead. */
async function clearDeadOwners(folder: string): Promise<void> {
  for (const { owner, state } of await ownersWithStates(folder)) {
    if (state !== 'dead') continue;
    // Not `rm`, which takes a file that somebody else has just removed for one that it removed.
    const isMine = await unlink(owner.file).then(
      () => true,
      () => false,
    );
    if (isMine) await rmdir(join(folder, LOCK)).catch(() => undefined);
  }
}

async function livingOwners(folder: string, except?: string): Promise<FoundOwner[]> {
  const owners = await ownersWithStates(folder);
  return owners
    .filter(({ owner, state }) => state !== 'dead' && owner.file !== except)
    .map(({ owner }) => owner);
}

/** All who say that they own a folder, and whether they live; nothing is changed. */
export async function ownersWithStates(
  folder: string,
): Promise<{ readonly owner: FoundOwner; readonly state: OwnerState }[]> {
  const owners = await ownersOf(folder);
  // Afterwards: an owner that was seen had its lock by then.
  const age = await lockAge(folder);
  return await Promise.all(owners.map(async (owner) => ({ owner, state: await stateOf(owner, age) })));
}

async function inUse(folder: string, owner: FoundOwner | undefined): Promise<StoreError> {
  const age = await lockAge(folder);
  const who = owner === undefined ? 'another process' : describeOwner(owner);
  const isSeen = owner !== undefined && (await stateOf(owner, age)) === 'alive';
  const seconds = Math.max(1, Math.ceil(STALE_SECONDS - (age ?? 0)));
  const killed = isSeen ? '' : `; if it was killed, try again in ${seconds} seconds`;
  return new StoreError(
    `The run folder ${folder} is in use by ${who}. Wait for it to end, or choose another folder with --out DIR${killed}.`,
  );
}
