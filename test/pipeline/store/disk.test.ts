import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { type Disk, diskOver, isUnfinished, plainDisk } from '../../../src/pipeline/store/disk.js';
import { nodeFileSystem } from '../../../src/pipeline/store/fileSystem.js';
import { type Fault, faultySystem } from '../../support/faultySystem.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hypergrad-disk-'));
});
afterEach(() => rm(root, { recursive: true }));

const faults: Fault[] = ['ENOSPC', 'EIO', 'short'];
const text = (path: string): Promise<string> => readFile(path, 'utf8');

/** Lets each call fail once that an operation makes, and each writing one take half: what `look` finds every time. */
async function eachFault(
  prepare: () => Promise<void>,
  operation: (disk: Disk) => Promise<void>,
  look: (error: unknown, what: string) => Promise<void>,
): Promise<number> {
  let count = 0;
  await prepare();
  const counting = faultySystem(nodeFileSystem);
  await operation(diskOver(counting));
  for (const [at, { name }] of counting.calls.entries()) {
    for (const fault of faults) {
      if (fault === 'short' && name !== 'write') continue;
      await prepare();
      const disk = diskOver(faultySystem(nodeFileSystem, { at, fault }));
      const error = await operation(disk).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      await look(error, `${name} ${at} ${fault}`);
      count++;
    }
  }
  return count;
}

describe('a file that is written whole', () => {
  it('holds the new content, in folders that were not there', async () => {
    const path = join(root, 'a', 'b', 'c.txt');
    await plainDisk.writeWhole(path, 'first');
    await plainDisk.writeWhole(path, Uint8Array.of(1, 2, 3).subarray(1));
    expect([...(await readFile(path))]).toEqual([2, 3]);
    expect(await readdir(join(root, 'a', 'b'))).toEqual(['c.txt']);
  });

  it('holds all bytes where the disk takes them in small pieces', async () => {
    const path = join(root, 'file');
    const system = {
      ...nodeFileSystem,
      open: async (...args: Parameters<typeof nodeFileSystem.open>) => {
        const file = await nodeFileSystem.open(...args);
        return { ...file, write: (bytes: Uint8Array, at: number) => file.write(bytes.subarray(0, 7), at) };
      },
    };
    const bytes = Uint8Array.from({ length: 100 }, (_, k) => k);
    await diskOver(system).writeWhole(path, bytes);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
    await diskOver(system).extend(path, 50, bytes);
    expect([...(await readFile(path))]).toEqual([...bytes.subarray(0, 50), ...bytes]);
  });

  it('does not wait for ever where the disk takes nothing, and says that it is full', async () => {
    const system = {
      ...nodeFileSystem,
      open: async (...args: Parameters<typeof nodeFileSystem.open>) => ({
        ...(await nodeFileSystem.open(...args)),
        write: async () => 0,
      }),
    };
    await expect(diskOver(system).writeWhole(join(root, 'file'), 'x')).rejects.toThrow(/the disk is full/);
  });

  it('keeps the old content, or has the new, whatever call fails, and leaves nothing beside it', async () => {
    const path = join(root, 'sub', 'file');
    const count = await eachFault(
      async () => {
        await mkdir(join(root, 'sub'), { recursive: true });
        await writeFile(path, 'old');
      },
      (disk) => disk.writeWhole(path, 'new content'),
      async (error, what) => {
        expect(error, what).toBeInstanceOf(StoreError);
        expect((error as Error).message, what).toContain(`${path} cannot be written`);
        expect((error as Error).message, what).toMatch(/run the same command again/);
        if (!what.includes('EIO')) expect((error as Error).message).toMatch(/Free some space/);
        // Only flushing the folder comes after the file has its name.
        expect(await text(path), what).toBe(what.startsWith('syncFolder') ? 'new content' : 'old');
        expect(await readdir(join(root, 'sub')), what).toEqual(['file']);
      },
    );
    expect(count).toBeGreaterThanOrEqual(15);
  });

  it('leaves nothing but a name that is known as unfinished where tidying up fails too', async () => {
    const path = join(root, 'weights.safetensors');
    const broken = {
      ...nodeFileSystem,
      rename: () => Promise.reject(new Error('no')),
      remove: () => Promise.reject(new Error('no')),
    };
    await expect(diskOver(broken).writeWhole(path, 'x')).rejects.toThrow(StoreError);
    const [name, ...others] = await readdir(root);
    expect(others).toEqual([]);
    expect(isUnfinished(name!)).toBe(true);
    expect(isUnfinished('weights.safetensors')).toBe(false);
  });

  it('replaces what a link leads to, and keeps the link', async () => {
    await writeFile(join(root, 'target'), 'old');
    await symlink(join(root, 'target'), join(root, 'link'));
    await plainDisk.writeWhole(join(root, 'link'), 'new');
    expect(await text(join(root, 'target'))).toBe('new');
  });

  it('is on the disk with its name when the call ends: first the bytes, then the name, then the folder', async () => {
    const system = faultySystem(nodeFileSystem);
    await diskOver(system).writeWhole(join(root, 'a', 'b', 'file'), 'x');
    expect(system.calls.map(({ name, path }) => [name, path.slice(root.length)])).toEqual([
      ['makeFolders', '/a/b'],
      ['syncFolder', '/a'],
      ['syncFolder', ''],
      ['open', '/a/b/file'],
      ['write', '/a/b/file'],
      ['sync', '/a/b/file'],
      ['close', '/a/b/file'],
      ['rename', '/a/b/file'],
      ['syncFolder', '/a/b'],
    ]);
  });

  it.each([
    ['its bytes alone, where the name is left to its folder', { isNameFlushed: false }, ['sync']],
    ['neither, where nobody misses it', { isFlushed: false }, []],
  ])('flushes %s', async (_, options, flushed) => {
    const system = faultySystem(nodeFileSystem);
    await diskOver(system).writeWhole(join(root, 'file'), 'x', options);
    const names = system.calls.map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('sync'))).toEqual(flushed);
    expect(await text(join(root, 'file'))).toBe('x');
  });
});

describe('a file that is extended', () => {
  it('is made, grows, and loses what lay behind the position', async () => {
    const path = join(root, 'log');
    await plainDisk.extend(path, 0, 'one\n');
    await plainDisk.extend(path, 4, 'two\nthr');
    await plainDisk.extend(path, 8, 'x');
    expect(await text(path)).toBe('one\ntwo\nx');
  });

  it('is whole after the same call again, whatever call failed', async () => {
    const path = join(root, 'log');
    await eachFault(
      () => writeFile(path, 'one\nrest'),
      (disk) => disk.extend(path, 4, 'two\n'),
      async (error, what) => {
        expect((error as Error).message, what).toContain(`${path} cannot be written`);
        expect(['one\nrest', 'one\n', 'one\ntwo\n'], what).toContain(await text(path));
        await plainDisk.extend(path, 4, 'two\n');
        expect(await text(path), what).toBe('one\ntwo\n');
      },
    );
  });
});

describe('a disk that is asked first', () => {
  it('changes nothing once it may not, and tells why', async () => {
    const path = join(root, 'file');
    await writeFile(path, 'old');
    const reason = new StoreError('taken over');
    const system = faultySystem(nodeFileSystem);
    const disk = diskOver(system, () => Promise.reject(reason));
    for (const operation of [
      () => disk.writeWhole(path, 'new'),
      () => disk.extend(path, 0, 'new'),
      () => disk.remove(path),
      () => disk.makeFolder(join(root, 'new')),
    ]) {
      await expect(operation()).rejects.toBe(reason);
    }
    expect(system.calls).toEqual([]);
    expect(await readdir(root)).toEqual(['file']);
  });

  it("does not replace a file that became another's while its bytes were written", async () => {
    const path = join(root, 'file');
    await writeFile(path, 'old');
    let asked = 0;
    const disk = diskOver(nodeFileSystem, async () => {
      if (asked++ > 0) throw new StoreError('taken over');
    });
    await expect(disk.writeWhole(path, 'new')).rejects.toThrow('taken over');
    expect(await text(path)).toBe('old');
    expect(await readdir(root)).toEqual(['file']);
  });
});
