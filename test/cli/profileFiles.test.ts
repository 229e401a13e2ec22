import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toTrace } from '../../src/autograd/profile/chromeTrace.js';
import type { Profile } from '../../src/autograd/profile/profile.js';
import { requireTraceFile, writeProfiles } from '../../src/cli/profileFiles.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';

const made: Profile = {
  device: { name: 'some device', kind: 'software', bundled: false },
  method: 'timestamps',
  timestampStep: 1,
  start: 50,
  duration: 20,
  deviceTime: 8,
  measured: 1,
  unmeasured: 3,
  host: { encode: 1, submit: 1, write: 0, wait: 9, compile: 0 },
  peaks: { arithmeticRate: 4e9, memoryRate: 2e9 },
  kernels: [
    {
      kernel: 'matmul',
      operation: 'matmul',
      shape: 'f32[2,2]',
      fused: [],
      count: 1,
      time: 8,
      share: 1,
      arithmeticRate: 1e9,
      memoryRate: 1e9,
      peakShare: 0.5,
      limit: 'memory',
    },
  ],
  deviceSpans: [{ kernel: 0, start: 1, duration: 8 }],
  hostSpans: [{ activity: 'wait', start: 1, duration: 9 }],
};

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-profile-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function inFolder<T>(name: string, use: (folder: RunFolder) => Promise<T>): Promise<T> {
  const folder = await RunFolder.open(join(scratch, name));
  try {
    return await use(folder);
  } finally {
    await folder.close();
  }
}
const parse = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('writeProfiles', () => {
  it("writes the tables' numbers and the trace into the run's folder, and describes each stage", async () => {
    const text = await inFolder('both', (folder) => writeProfiles(folder, { teacher: made, distil: made }));
    expect(text.match(/^Stage \w+/gm)).toEqual(['Stage teacher', 'Stage distil']);
    const { deviceSpans: _, hostSpans: __, ...numbers } = made;
    expect(await parse(join(scratch, 'both', 'profile.json'))).toEqual({ teacher: numbers, distil: numbers });
    expect(await parse(join(scratch, 'both', 'trace.json'))).toEqual(
      toTrace({ teacher: made, distil: made }),
    );
  });

  it('writes the trace where it is wanted, again and again', async () => {
    const file = join(scratch, 'mine.json');
    for (let k = 0; k < 2; k++) {
      await requireTraceFile(file);
      await inFolder('elsewhere', (folder) => writeProfiles(folder, { teacher: made }, file));
    }
    expect(await parse(file)).toEqual(toTrace({ teacher: made }));
    await expect(parse(join(scratch, 'elsewhere', 'trace.json'))).rejects.toThrow();
  });

  it('says so where every stage was done before', async () => {
    expect(await inFolder('done', (folder) => writeProfiles(folder, {}))).toMatch(/Nothing was profiled/);
    await expect(parse(join(scratch, 'done', 'profile.json'))).rejects.toThrow();
  });
});

describe('requireTraceFile', () => {
  it('refuses a configuration that was meant to come before, and leaves it alone', async () => {
    await expect(requireTraceFile('my.yaml')).rejects.toThrow(
      /my\.yaml.*a configuration file goes before it/,
    );
    const file = join(scratch, 'config.json');
    await writeFile(file, '{ "distil": { "steps": 3 } }');
    await expect(requireTraceFile(file)).rejects.toThrow(/it exists and holds no trace/);
  });
});
