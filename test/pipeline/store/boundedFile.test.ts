import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBounded, readingFault, readTextSync } from '../../../src/pipeline/store/boundedFile.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypergrad-bounded-'));
});
afterAll(() => rm(folder, { recursive: true }));

const fault = (path: string, limit = 100): Promise<string> =>
  readBounded(path, limit).then(
    () => 'was read',
    (error: unknown) => readingFault(error),
  );

const textFault = (path: string, limit = 100): string => {
  try {
    return readTextSync(path, limit);
  } catch (error) {
    return readingFault(error);
  }
};

describe('readBounded', () => {
  it('reads a file up to its limit, and nothing of a larger one', async () => {
    const path = join(folder, 'hundred');
    await writeFile(path, Buffer.alloc(100, 7));
    expect(await readBounded(path, 100)).toEqual(new Uint8Array(100).fill(7));
    expect(await fault(path, 99)).toBe('holds 100 bytes, where at most 99 bytes are read');
    const huge = join(folder, 'huge');
    await writeFile(huge, '');
    await truncate(huge, 2 ** 42);
    expect(await fault(huge, 2 ** 31)).toBe('holds 4194304 MiB, where at most 2048 MiB are read');
  });

  it.skipIf(process.platform === 'win32')(
    'refuses pipes, devices, folders and links to nothing at once (POSIX only: mkfifo)',
    async () => {
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const link = join(folder, 'link');
      await symlink('/dev/zero', link);
      const loop = join(folder, 'loop');
      await symlink(loop, loop);
      expect(await fault(pipe)).toBe('is a pipe or a device, not a regular file');
      expect(await fault(link)).toBe('is a pipe or a device, not a regular file');
      expect(await fault(loop)).toBe('is a link that leads nowhere');
      expect(await fault(folder)).toBe('is a folder, not a file');
      expect(await fault(join(folder, 'missing'))).toBe('does not exist');
      expect(await fault('a\0b')).toMatch(/^cannot be read/);
    },
  );
});

describe('readTextSync', () => {
  it('reads text up to its limit, and stops there whatever follows', async () => {
    const path = join(folder, 'text');
    await writeFile(path, 'größer');
    expect(textFault(path, 8)).toBe('größer');
    expect(textFault(path, 7)).toMatch(/^holds more than/);
    await writeFile(path, Buffer.of(0x61, 0xff));
    expect(textFault(path)).toBe('is no text in UTF-8');
    expect(textFault(folder)).toBe('is a folder, not a file');
  });

  it.skipIf(process.platform !== 'linux')('does not read a device for ever (Linux only: /dev/zero)', () => {
    expect(textFault('/dev/zero', 1000)).toMatch(/^holds more than/);
  });
});
