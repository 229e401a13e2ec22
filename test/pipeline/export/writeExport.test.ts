import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { ExportedSet } from '../../../src/pipeline/export/exportedSet.js';
import { writeExport } from '../../../src/pipeline/export/writeExport.js';

let out = '';
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'hypergrad-write-export-'));
});
afterAll(() => rm(out, { recursive: true, force: true }));

const setOf = (count: number): ExportedSet => ({
  images: new Float32Array(4 * count),
  targets: new Float32Array(count),
  count,
  image: [1, 2, 2],
  representation: 1,
  innerStep: 0.1,
  mean: [0],
  deviation: [1],
  config: resolveConfig({ preset: 'tiny-test', sets: [] }),
  rows: [],
  snapshot: null,
});

it('leaves no picture of a larger set beside those that replace it, and nothing else away', async () => {
  const options = { formats: ['png'], out, force: true, version: '1.2.3' } as const;
  await writeExport(setOf(3), options);
  await writeFile(join(out, 'images', 'mine.png'), '');
  await writeExport(setOf(2), options);
  expect((await readdir(join(out, 'images'))).sort()).toEqual(['00000.png', '00001.png', 'mine.png']);
});
