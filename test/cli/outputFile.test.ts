import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeOutput } from '../../src/cli/outputFile.js';
import { ConfigError, StoreError } from '../../src/errors.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hypergrad-output-'));
});
afterEach(() => rm(root, { recursive: true }));

it('writes a file whole, in the place of one that was there', async () => {
  await writeFile(join(root, 'a.json'), 'something longer than that');
  await writeOutput('--out', join(root, 'a.json'), 'new');
  expect(await readFile(join(root, 'a.json'), 'utf8')).toBe('new');
  expect(await readdir(root)).toEqual(['a.json']);
});

it.skipIf(process.platform !== 'linux')('writes to a device as it is (Linux only: /dev/full)', async () => {
  await writeOutput('--json', '/dev/null', 'gone');
  await expect(writeOutput('--json', '/dev/full', 'x')).rejects.toThrow(StoreError);
  await expect(writeOutput('--json', '/dev/full', 'x')).rejects.toThrow(/the disk is full\. Free some space/);
});

it('tells a name that cannot be one, by its option', async () => {
  await mkdir(join(root, 'folder'));
  await writeFile(join(root, 'file'), '');
  for (const [name, reason] of [
    ['none/a.png', 'its folder does not exist'],
    ['file/a.png', 'a file stands where a folder is needed'],
    ['folder', 'a folder stands where a file is needed'],
  ] as const) {
    const attempt = writeOutput('--out', join(root, name), 'x');
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(`--out "${join(root, name)}" cannot be written: ${reason}.`);
  }
  expect((await readdir(root)).sort()).toEqual(['file', 'folder']);
});
