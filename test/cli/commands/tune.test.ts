import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { version } from '../../../package.json';
import { describeExamination, examine } from '../../../src/cli/commands/doctor.js';
import { describeRecord } from '../../../src/cli/commands/tune.js';
import { createProgram } from '../../../src/cli/program.js';
import { openTunedDevice } from '../../../src/cli/tunedDevice.js';
import { ConfigError } from '../../../src/errors.js';
import { overridesOf } from '../../../src/kernels/deviceTuning.js';
import { tuningGroups } from '../../../src/kernels/tuningCandidates.js';
import type { TuningRecord } from '../../../src/pipeline/tune/record.js';
import { saveTuning, tuningFile } from '../../../src/pipeline/tune/store.js';
import { captured, type Written } from '../../support/command.js';

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'hypergrad-tune-'));
});
afterAll(() => rm(cache, { recursive: true, force: true }));
beforeEach(() => {
  vi.stubEnv('HYPERGRAD_CACHE', cache);
  vi.stubEnv('HYPERGRAD_TUNING', 'on');
});
afterEach(() => vi.unstubAllEnvs());

const tune = (...words: string[]): Promise<Written> =>
  captured(() => createProgram().parseAsync(['tune', ...words], { from: 'user' }));

/** Opens the device as commands do, and tells what they say of it. */
async function opened(): Promise<Written & { description: string; name: string; overrides: unknown }> {
  let facts = { description: '', name: '', overrides: null as unknown };
  const printed = await captured(async () => {
    const { device, description } = await openTunedDevice();
    facts = { description, name: device.adapter.name, overrides: overridesOf(device) };
    device.close();
  });
  return { ...printed, ...facts };
}

describe('hypergrad tune', () => {
  it('measures, keeps the answer, and every command that opens the device then uses it, until it is reset', async () => {
    expect((await opened()).description).not.toContain('tuned');
    const { stdout, stderr } = await tune('--preset', 'tiny-test', '--rounds', '1', '--json');
    const record = JSON.parse(stdout) as TuningRecord;
    expect(record).toMatchObject({ format: 1, preset: 'tiny-test', hypergrad: version });
    expect(record.choices.map(({ group }) => group)).toEqual(Object.keys(tuningGroups));
    expect(stderr).toContain('measuring matmul: ');
    expect(stderr).toMatch(/block sizes of +chosen +before +after +gain/);
    const path = tuningFile(record.adapter.name);
    expect(stderr).toContain(`Kept in ${path}`);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(record);

    const kept = await opened();
    expect(kept.stderr).toBe('');
    expect(kept.description).toContain(`, tuned on ${record.made.slice(0, 10)} for tiny-test`);
    expect(kept.overrides ?? {}).toEqual(record.overrides);
    const found = describeExamination(await examine());
    expect(found).toMatch(
      /^Tuning: made on \d{4}-\d\d-\d\d for tiny-test with hypergrad \S+ and webgpu \S+: /m,
    );

    vi.stubEnv('HYPERGRAD_TUNING', 'off');
    expect(await opened()).toMatchObject({
      description: expect.not.stringContaining('tuned'),
      overrides: null,
    });
    vi.stubEnv('HYPERGRAD_TUNING', 'on');

    expect((await tune('--reset')).stdout).toContain(`Removed ${path}`);
    expect(existsSync(path)).toBe(false);
    expect((await tune('--reset')).stdout).toContain('There was no tuning of this adapter.');
    expect((await opened()).description).not.toContain('tuned');
  });

  it('warns in one line of a file that does not count, and computes as usual', async () => {
    const { name } = await opened();
    await saveTuning({
      format: 1,
      adapter: { name, kind: 'software' },
      hypergrad: '0.0.0',
      webgpu: '0.0.0',
      made: new Date().toISOString(),
      preset: 'tiny-test',
      choices: [],
      overrides: { unroll: 2 },
    });
    const { stderr, overrides } = await opened();
    expect(overrides).toBeNull();
    expect(stderr).toMatch(
      /^Warning: The tuning in .* is ignored: hypergrad 0\.0\.0 made it, and this is .*\. Run 'hypergrad tune' again\.\n$/,
    );
    await writeFile(tuningFile(name), '{');
    expect((await opened()).stderr).toMatch(/^Warning: .*it is damaged.*\n$/);
    await rm(tuningFile(name));
  });

  it('says which value does not fit, before a device is opened', async () => {
    await expect(tune('--rounds', '0')).rejects.toThrow(ConfigError);
    await expect(tune('--rounds', 'many')).rejects.toThrow(/--rounds "many" must be a whole number/);
    await expect(tune('--preset', 'tiny-tset')).rejects.toThrow(/tiny-test/);
    for (const beside of [['--dry-run'], ['--json'], ['--rounds', '3']]) {
      await expect(tune('--reset', ...beside)).rejects.toThrow(CommanderError);
    }
    vi.stubEnv('HYPERGRAD_TUNING', 'maybe');
    await expect(tune()).rejects.toThrow(/'maybe'.*HYPERGRAD_TUNING/);
    await expect(opened()).rejects.toThrow(ConfigError);
  });
});

describe('the table', () => {
  const text = describeRecord({
    format: 1,
    adapter: { name: 'made', kind: 'software' },
    hypergrad: version,
    webgpu: '0.6.2',
    made: '2026-01-02T03:04:05.678Z',
    preset: 'mnist-small',
    choices: [
      { group: 'matmul', candidate: '4×4', before: 2, after: 1.5, failures: {} },
      { group: 'reduce', candidate: null, before: 0.25, after: 0.25, failures: { '16': 'refused' } },
      { group: 'copy', candidate: null, before: 0, after: 0, failures: {} },
    ],
    overrides: {},
  });

  it('gives each group its choice, times and gain, and none where nothing was measured', () => {
    expect(text).toMatch(/^matmul +4×4 +2\.00 s +1\.50 s +25\.0 %$/m);
    expect(text).toMatch(/^reduce +as it is +250 ms +250 ms +–$/m);
    expect(text).toMatch(/^copy +as it is +– +– +–$/m);
  });

  it('says which candidates were left out, and why', () => {
    expect(text).toContain('Left out:\n  reduce, 16: refused');
  });
});
