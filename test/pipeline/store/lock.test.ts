import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { nodeFileSystem } from '../../../src/pipeline/store/fileSystem.js';
import { type FolderLock, lockFolder } from '../../../src/pipeline/store/lock.js';
import { ourselves, ownerFile, ownersOf, STALE_SECONDS } from '../../../src/pipeline/store/lockOwner.js';

let root: string;
let folder: string;
let held: FolderLock[] = [];
let children: ChildProcess[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hypergrad-lock-'));
  folder = join(root, 'run');
  await mkdir(folder);
});
afterEach(async () => {
  for (const lock of held) await lock.release();
  for (const child of children) await kill(child);
  [held, children] = [[], []];
  await rm(root, { recursive: true });
});

async function locked(): Promise<FolderLock> {
  const lock = await lockFolder(folder, nodeFileSystem);
  held.push(lock);
  return lock;
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StoreError);
  return (error as StoreError).message;
}

/** A process that does nothing until it is killed. */
async function living(): Promise<ChildProcess> {
  const script = join(root, 'wait.cjs');
  await writeFile(script, `process.send('ready'); setInterval(() => {}, 1000);`);
  const child = fork(script);
  children.push(child);
  await new Promise((resolve) => child.once('message', resolve));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** What another process leaves that holds the lock: its file, and `.lock`, renewed so many seconds ago. */
async function leaveLock(file: string, content: string, age = 0): Promise<void> {
  await mkdir(join(folder, '.lock'));
  await writeFile(file, content);
  const renewed = new Date(Date.now() - 1000 * age);
  await utimes(join(folder, '.lock'), renewed, renewed);
}

async function ownerOf(child: ChildProcess): Promise<string> {
  const text = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
  const start = text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  return JSON.stringify({ ...(await ourselves()), process: child.pid, start });
}

const LONG = STALE_SECONDS + 10;
const elsewhere = () => join(folder, '.owner-0123456789ab-77');
const stranger = JSON.stringify({
  ...{ version: 1, process: 77, machine: 'far-away', realm: 'x', start: '1' },
  since: '2026-01-02T03:04:05.000Z',
});

describe('a folder that is locked', () => {
  it('tells a second contender which process has it, where and since when', async () => {
    const before = Date.now();
    await locked();
    const message = await refusal(lockFolder(folder, nodeFileSystem));
    expect(message).toContain(`in use by process ${process.pid} on ${hostname()}, since `);
    const [since] = /\d{4}-\S+Z/.exec(message) ?? [];
    expect(Date.parse(since!)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(since!)).toBeLessThanOrEqual(Date.now());
    expect(message).not.toContain('try again');
  });

  it('goes to just one of many that ask at once, whether it was free or its owner is dead', async () => {
    const dead = await living();
    const [file, said] = [ownerFile(folder, dead.pid!), await ownerOf(dead)];
    await kill(dead);
    for (let round = 0; round < 10; round++) {
      if (round % 2 === 0) await leaveLock(file, said);
      const asked = await Promise.allSettled(
        Array.from({ length: 8 }, () => lockFolder(folder, nodeFileSystem)),
      );
      const given = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(given).toHaveLength(1);
      await given[0]!.check();
      await given[0]!.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('is held as long as its owner lives, though that is suspended and renews nothing', async () => {
    const child = await living();
    await leaveLock(ownerFile(folder, child.pid!), await ownerOf(child), LONG);
    child.kill('SIGSTOP');
    expect(await refusal(lockFolder(folder, nodeFileSystem))).toContain(`process ${child.pid}`);
    await kill(child);
    await locked();
  });

  it('is taken over at once from an owner that was killed', async () => {
    const child = await living();
    await leaveLock(ownerFile(folder, child.pid!), await ownerOf(child));
    await refusal(lockFolder(folder, nodeFileSystem));
    await kill(child);
    await (await locked()).check();
    expect(await readdir(folder)).not.toContain(`.owner-${child.pid}`);
  });

  it('is taken over at once where another process has the number of its owner by now', async () => {
    const child = await living();
    const owner = JSON.parse(await ownerOf(child)) as object;
    await leaveLock(ownerFile(folder, child.pid!), JSON.stringify({ ...owner, start: '1' }));
    await (await locked()).check();
  });

  it('is taken over at once where this very process has the number of an owner that is dead', async () => {
    await leaveLock(ownerFile(folder, process.pid), JSON.stringify({ ...(await ourselves()), start: '1' }));
    await (await locked()).check();
  });

  it('is not taken for that of a dead owner by the number alone, which means something else in another container', async () => {
    const child = await living();
    const owner = JSON.parse(await ownerOf(child)) as object;
    await kill(child);
    await leaveLock(ownerFile(folder, child.pid!), JSON.stringify({ ...owner, realm: 'pid:[1]' }));
    expect(await refusal(lockFolder(folder, nodeFileSystem))).toMatch(/try again in \d+ seconds/);
  });

  it('is left to an owner on another machine until that has not renewed it for long', async () => {
    await leaveLock(elsewhere(), stranger, STALE_SECONDS - 10);
    const message = await refusal(lockFolder(folder, nodeFileSystem));
    expect(message).toContain('process 77 on far-away, since 2026-01-02T03:04:05.000Z');
    expect(message).toMatch(/if it was killed, try again in (9|10|11) seconds/);
    await rm(join(folder, '.lock'), { recursive: true });
    await leaveLock(elsewhere(), stranger, LONG);
    await (await locked()).check();
    expect(await readdir(folder)).not.toContain(elsewhere().slice(folder.length + 1));
  });

  it.each(['', '{', '[]', '{"version":1}', '{"version":9}'])(
    'is judged by the process number alone where the owner says %j, as earlier versions did',
    async (text) => {
      const child = await living();
      await leaveLock(ownerFile(folder, child.pid!), text);
      expect(await refusal(lockFolder(folder, nodeFileSystem))).toContain(`in use by process ${child.pid}`);
      await kill(child);
      await locked();
    },
  );

  it('is taken over where nobody says that it is theirs: who made it was killed before it could', async () => {
    await mkdir(join(folder, '.lock'));
    await (await locked()).check();
  });

  it('is left to who made it where that one is only slow to say so', async () => {
    await mkdir(join(folder, '.lock'));
    const attempt = refusal(lockFolder(folder, nodeFileSystem));
    const child = await living();
    await writeFile(ownerFile(folder, child.pid!), '');
    expect(await attempt).toContain(`in use by process ${child.pid}`);
  });
});

describe('a lock that was taken over while its owner was suspended', () => {
  it('lets its owner write nothing more, says who has it, and is left to that one', async () => {
    const lock = await locked();
    await lock.check();
    // What a contender on another machine does: the owner's file goes, and its own takes the place.
    await rename(ownerFile(folder, process.pid), elsewhere());
    await writeFile(elsewhere(), stranger);
    expect(await refusal(lock.check())).toMatch(
      /taken over by process 77 on far-away.*nothing more is written/,
    );
    await lock.release();
    expect((await readdir(folder)).sort()).toEqual(['.lock', '.owner-0123456789ab-77']);
  });
});

it('says which folder cannot be locked', async () => {
  await writeFile(join(root, 'file'), '');
  expect(await refusal(lockFolder(join(root, 'file'), nodeFileSystem))).toContain(
    `${join(root, 'file', '.lock')} cannot be created`,
  );
});

it.skipIf(process.platform === 'win32')(
  'does not wait for a pipe that is called an owner (POSIX only: mkfifo)',
  async () => {
    execFileSync('mkfifo', [ownerFile(folder, 7)]);
    expect(await ownersOf(folder)).toMatchObject([{ process: 7, said: null }]);
  },
);
