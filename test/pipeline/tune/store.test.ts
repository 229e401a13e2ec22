import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { version } from '../../../package.json';
import { ConfigError, StoreError } from '../../../src/errors.js';
import type { Device } from '../../../src/gpu/device.js';
import { overridesOf } from '../../../src/kernels/deviceTuning.js';
import type { TuningRecord } from '../../../src/pipeline/tune/record.js';
import { loadTuning, removeTuning, saveTuning, tuningFile } from '../../../src/pipeline/tune/store.js';

const adapter = { name: 'made/adapter (../driver)', kind: 'software', bundled: false } as const;
const device = { adapter } as unknown as Device;
const record: TuningRecord = {
  format: 1,
  adapter: { name: adapter.name, kind: adapter.kind },
  hypergrad: version,
  webgpu: '0.6.2',
  made: '2026-01-02T03:04:05.678Z',
  preset: 'tiny-test',
  choices: [],
  overrides: { unroll: 3 },
};

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-tuning-'));
  vi.stubEnv('HYPERGRAD_CACHE', join(scratch, 'cache'));
  vi.stubEnv('HYPERGRAD_TUNING', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(scratch, { recursive: true, force: true });
});

describe('what is kept', () => {
  it('is found again, and the device computes with it', async () => {
    const path = await saveTuning(record);
    expect(dirname(path)).toBe(join(scratch, 'cache', 'tuning'));
    expect(await loadTuning(device)).toEqual({ use: 'measured', record });
    expect(overridesOf(device)).toEqual({ unroll: 3 });
  });

  it('takes the place of what was kept before, and leaves no other file', async () => {
    await saveTuning(record);
    const path = await saveTuning({ ...record, overrides: { unroll: 5 } });
    await loadTuning(device);
    expect(overridesOf(device)).toEqual({ unroll: 5 });
    expect(await readdir(dirname(path))).toHaveLength(1);
  });

  it('is gone once removed, and so are its block sizes when the device is opened next', async () => {
    const path = await saveTuning(record);
    await loadTuning(device);
    expect(await removeTuning(adapter.name)).toBe(path);
    expect(await removeTuning(adapter.name)).toBeNull();
    expect(await loadTuning(device)).toEqual({ use: 'none' });
    expect(overridesOf(device)).toBeNull();
  });

  it('is not looked for with HYPERGRAD_TUNING=off', async () => {
    await saveTuning(record);
    vi.stubEnv('HYPERGRAD_TUNING', 'off');
    expect(await loadTuning(device)).toEqual({ use: 'off' });
    expect(overridesOf(device)).toBeNull();
    vi.stubEnv('HYPERGRAD_TUNING', 'no');
    await expect(loadTuning(device)).rejects.toThrow(ConfigError);
    await expect(loadTuning(device)).rejects.toThrow(/'no'.*HYPERGRAD_TUNING.*on or off/);
  });

  it.each([
    ['is cut short', async (path: string) => writeFile(path, (await readFile(path, 'utf8')).slice(0, 99))],
    ['is of a newer format', (path: string) => writeFile(path, JSON.stringify({ ...record, format: 9 }))],
    [
      'is another version’s',
      (path: string) => writeFile(path, JSON.stringify({ ...record, hypergrad: '9.9.9' })),
    ],
    ['is a folder', async (path: string) => rm(path).then(() => mkdir(path))],
    [
      'is another adapter’s',
      (path: string) =>
        writeFile(path, JSON.stringify({ ...record, adapter: { name: 'other', kind: 'software' } })),
    ],
  ])('is ignored with one warning when it %s', async (_, spoil) => {
    const path = await saveTuning(record);
    await loadTuning(device);
    await spoil(path);
    const state = await loadTuning(device);
    expect(state.use).toBe('ignored');
    const { warning } = state as { warning: string };
    expect(warning).toContain(path);
    expect(warning).toMatch(/Run 'hypergrad tune' again\.$/);
    expect(warning.split('\n')).toHaveLength(1);
    expect(overridesOf(device)).toBeNull();
  });

  it('cannot be kept where the cache folder is a file, which is said with what to do', async () => {
    await writeFile(join(scratch, 'cache'), '');
    await expect(saveTuning(record)).rejects.toThrow(StoreError);
    await expect(saveTuning(record)).rejects.toThrow(/cannot be kept in .*HYPERGRAD_CACHE/);
    expect(await loadTuning(device)).toEqual({ use: 'none' });
  });
});

describe('the file’s name', () => {
  it('lies in the tuning folder whatever the adapter is called', () => {
    const folder = join(scratch, 'cache', 'tuning');
    for (const name of ['../../etc/passwd', '', '/', 'a\0b', '<>:"|?*', 'x'.repeat(5000), 'ñandú 日本']) {
      const path = tuningFile(name);
      expect(dirname(path)).toBe(folder);
      expect(path.slice(folder.length + 1)).toMatch(/^[a-z0-9-]{1,80}\.json$/);
    }
  });

  it('differs where adapters differ in nothing but signs', () => {
    expect(tuningFile('GPU (1.2)')).not.toBe(tuningFile('GPU (1-2)'));
    expect(tuningFile('GPU (1.2)')).toBe(tuningFile('GPU (1.2)'));
  });
});
