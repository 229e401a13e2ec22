import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { identifyRuns } from '../../../src/pipeline/sweep/dataIdentity.js';
import { type PlannedRun, soleRun } from '../../../src/pipeline/sweep/members.js';
import { idx, writeFiles } from '../../support/imageFiles.js';

let scratch = '';
let folder = '';
let cache = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-identity-'));
  folder = join(scratch, 'digits');
  cache = join(scratch, 'cache');
  vi.stubEnv('HYPERGRAD_CACHE', cache);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

const COUNT = 120;
/** Writes digits whose files are older than a clock's tick. */
async function writeDigits(shift: number): Promise<void> {
  const pixels = Uint8Array.from({ length: COUNT * 784 }, (_, k) => (k * k + shift) % 251);
  await writeFiles(folder, { 'digits-idx3-ubyte': idx([COUNT, 28, 28], pixels) });
  const then = new Date(Date.now() - 60_000);
  utimesSync(join(folder, 'digits-idx3-ubyte'), then, then);
}

const run = (...sets: string[]): PlannedRun =>
  soleRun(
    resolveConfig({
      preset: 'tiny-test',
      sets: [
        'data.source=idx',
        `data.folder=${folder}`,
        'data.train=90',
        'data.test=20',
        'evaluate.batch=4',
      ].concat(['distil.batch=4', ...sets]),
    }),
  )[0]!;
const dataOf = async (one: PlannedRun): Promise<string | null> => (await identifyRuns([one]))(one).data;

describe('the identity of data', () => {
  it('changes with the images, the seed and how they are prepared, and with nothing else', async () => {
    await writeDigits(0);
    const first = await dataOf(run());
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await dataOf(run('distil.steps=1', 'data.memory=7'))).toBe(first);
    const others = [await dataOf(run('seed=2')), await dataOf(run('data.pool=2'))];
    await writeDigits(1);
    others.push(await dataOf(run()));
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it('is read once, and then kept by the files’ sizes and times', async () => {
    await writeDigits(2);
    rmSync(cache, { recursive: true });
    const data = await dataOf(run());
    const [file] = readdirSync(join(cache, 'data'));
    const path = join(cache, 'data', file!);
    const kept = JSON.parse(readFileSync(path, 'utf8'));
    expect(kept).toMatchObject({ data, image: [1, 7, 7], train: 90 });
    writeFileSync(path, JSON.stringify({ ...kept, data: 'a'.repeat(64) }));
    expect(await dataOf(run())).toBe('a'.repeat(64));
    writeFileSync(path, 'damaged');
    expect(await dataOf(run())).toBe(data);
  });

  it('is read again with another version, which may draw otherwise', async () => {
    await writeDigits(3);
    const data = await dataOf(run());
    const kept = join(cache, 'data');
    for (const file of readdirSync(kept)) renameSync(join(kept, file), join(kept, `old-${file}`));
    vi.resetModules();
    vi.doMock(import('../../../package.json'), async (original) => ({
      ...(await original()),
      version: '0.0.0',
    }));
    const { identifyRuns: identify } = await import('../../../src/pipeline/sweep/dataIdentity.js');
    expect((await identify([run()]))(run()).data).toBe(data);
    vi.doUnmock('../../../package.json');
    const [made] = readdirSync(kept).filter((file) => !file.startsWith('old-'));
    expect(existsSync(join(kept, `old-${made}`))).toBe(false);
  });

  it('is unknown where the files are not there, and an error unless that is asked for', async () => {
    const missing = run(`data.folder=${join(scratch, 'nowhere')}`);
    await expect(identifyRuns([missing])).rejects.toThrow(DataError);
    const told: string[] = [];
    const identify = await identifyRuns([missing], ({ message }) => told.push(message));
    expect(identify(missing)).toEqual({ data: null, given: null });
    expect(told).toEqual([expect.stringContaining('nowhere')]);
  });
});
