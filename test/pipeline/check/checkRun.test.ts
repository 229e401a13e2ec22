import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeCheck } from '../../../src/cli/commands/check.js';
import { InterruptedError, StoreError } from '../../../src/errors.js';
import { type CheckReport, checkRun } from '../../../src/pipeline/check/checkRun.js';
import type { Finding } from '../../../src/pipeline/check/finding.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { partInputs } from '../../../src/pipeline/parts.js';
import { silentProgress } from '../../../src/pipeline/progress.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { hashedInputs, type StageInputs } from '../../../src/pipeline/stageInputs.js';
import { stagesOf } from '../../../src/pipeline/stageList.js';
import { decodeManifest } from '../../../src/pipeline/store/manifest.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { decodeSafetensors, encodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { useDevice } from '../../support/device.js';
import { folderContents } from '../../support/folderContents.js';
import { turnFolder } from '../../support/readOnly.js';
import { changeTensors, EXPERT, harms } from './harms.js';

const device = useDevice();
let scratch = '';
const SETS = ['distil.snapshots=2', 'evaluate.seeds=1', 'evaluate.rows=[mkdt]'];

/** The preset tiny-test; stopped after its second iteration of distillation where that is asked for. */
async function run(path: string, sets: readonly string[] = SETS, isStopped = false): Promise<void> {
  const config = resolveConfig({ preset: 'tiny-test', sets: [...sets], seed: 1 });
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(path);
  const controller = new AbortController();
  try {
    await runPipeline({
      ...{ config, dataset, folder, signal: controller.signal },
      device: await device(),
      command: 'test',
      progress: {
        ...silentProgress,
        advanced(stage, done) {
          if (isStopped && stage === 'distil' && done === 2) controller.abort();
        },
      },
    });
  } finally {
    dataset.close();
    await folder.close();
  }
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-check-'));
  await run(join(scratch, 'whole'));
  await expect(run(join(scratch, 'stopped'), SETS, true)).rejects.toThrow(InterruptedError);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

let copies = 0;
/** What is found in a copy of a folder that something was done to. */
async function foundAfter(harm: (path: string) => Promise<unknown>, of = 'whole'): Promise<CheckReport> {
  const path = join(scratch, `copy-${copies++}`);
  await cp(join(scratch, of), path, { recursive: true });
  await harm(path);
  return await checkRun(path);
}

const flaws = ({ findings }: CheckReport): Finding[] => findings.filter(({ kind }) => kind === 'flaw');

describe('a folder that is whole', () => {
  it('has all stages done and nothing to tell', async () => {
    const report = await checkRun(join(scratch, 'whole'));
    expect(report.findings).toEqual([]);
    expect(report.isWhole).toBe(true);
    expect(report.stages.map(({ stage, state }) => [stage, state])).toEqual(
      ['teacher', 'targets', 'experts', 'subset', 'distil', 'evaluate'].map((stage) => [stage, 'done']),
    );
    expect(describeCheck(report)).toMatch(/whole is whole: \d+ files/);
  });

  it('is checked without changing anything', async () => {
    const path = join(scratch, 'whole');
    const before = [folderContents(path, true), (await stat(path)).mtimeMs];
    expect((await checkRun(path)).isWhole).toBe(true);
    expect([folderContents(path, true), (await stat(path)).mtimeMs]).toEqual(before);
  });

  it('is checked where nothing can be written (skipped where root cannot be kept from it: chattr)', async (context) => {
    const turn = turnFolder(scratch);
    if (turn === null) return context.skip();
    const path = join(scratch, 'whole');
    turn(path, 'read-only');
    try {
      await expect(writeFile(join(path, 'more'), '')).rejects.toThrow(/EPERM|EACCES/);
      expect((await checkRun(path)).isWhole).toBe(true);
    } finally {
      turn(path, 'writable');
    }
  });

  it('may be in its middle: it says what is not finished, and where it goes on', async () => {
    const report = await checkRun(join(scratch, 'stopped'));
    expect(report.isWhole).toBe(true);
    expect(report.stages.map(({ state }) => state)).toEqual([
      ...['done', 'done', 'done', 'done'],
      ...['unfinished', 'unfinished'],
    ]);
    const told = report.findings.map(({ what, mends }) => `${what} ${mends}`).join('\n');
    expect(told).toContain('Not finished: distil, evaluate.');
    expect(told).toMatch(/keeps the stage distil after 2 steps\. .*goes on from there/);
  });

  it('may have a checkpoint of other inputs, which is told', async () => {
    const report = await foundAfter(async (path) => {
      const config = join(path, 'config.yaml');
      await writeFile(config, (await readFile(config, 'utf8')).replace('iterations: 4', 'iterations: 5'));
    }, 'stopped');
    expect(report.isWhole).toBe(true);
    expect(report.findings.map(({ what }) => what).join()).toContain(
      'made from other inputs than the present',
    );
  });

  it('may keep one part that a job of its own makes, which goes on', async () => {
    const path = join(scratch, 'stopped');
    const manifest = decodeManifest(await readFile(join(path, 'manifest.json'), 'utf8'), path);
    const { reads } = manifest.get('experts')!;
    const config = resolveConfig({ file: join(path, 'config.yaml'), sets: [] });
    const { partReads } = stagesOf(config).find(({ name }) => name === 'experts')!;
    const ofParts = hashedInputs({ ...(reads as unknown as StageInputs), config: partReads!(config) });
    const report = await foundAfter(async (copy) => {
      const from = join(copy, 'checkpoint-distil.safetensors');
      const { tensors, metadata } = decodeSafetensors(await readFile(from), from);
      const inputs = partInputs(ofParts, '001');
      const text = JSON.stringify({
        version: 2,
        stages: { ...Object.fromEntries(manifest), experts: undefined },
      });
      await writeFile(join(copy, 'manifest.json'), text);
      await writeFile(
        join(copy, 'checkpoint-experts.safetensors'),
        encodeSafetensors(tensors, { ...metadata, inputs }),
      );
    }, 'stopped');
    const told = report.findings.find(({ file }) => file === 'checkpoint-experts.safetensors')!;
    expect(told.mends).toContain('It goes on from there.');
  });

  it('may keep an evaluation by itself that was broken off, which is none of the stages', async () => {
    const report = await foundAfter(
      (path) =>
        copyFile(
          join(path, 'checkpoint-distil.safetensors'),
          join(path, 'checkpoint-evaluation.safetensors'),
        ),
      'stopped',
    );
    expect(report.isWhole).toBe(true);
    expect(report.findings.map(({ means }) => means).join()).toContain('It is of `hypergrad evaluate`');
  });

  it('may hold what a killed process left: an unfinished write, a dead lock, half a line', async () => {
    const report = await foundAfter(async (path) => {
      await writeFile(join(path, 'teacher.safetensors.12345'), 'half');
      await mkdir(join(path, '.lock'));
      await writeFile(join(path, '.owner-0123456789ab-77'), '');
      await utimes(join(path, '.lock'), new Date(0), new Date(0));
      await appendFile(join(path, 'events.jsonl'), '{"stage":"dis');
    });
    expect(report.isWhole).toBe(true);
    expect(report.findings.map(({ file, what }) => `${file}: ${what}`)).toEqual([
      'null: Its lock is that of process 77, which has ended.',
      'events.jsonl: Its last line was cut off.',
      'teacher.safetensors.12345: 4 bytes of a write that was cut off.',
    ]);
  });

  it('may have lost its seconds, which is told and is no flaw', async () => {
    const report = await foundAfter((path) => writeFile(join(path, 'timings.json'), '{"teacher":'));
    expect(report.isWhole).toBe(true);
    expect(report.findings.map(({ kind, file, mends }) => [kind, file, mends])).toEqual([
      ['note', 'timings.json', 'Nothing needs to be done.'],
    ]);
  });

  it('may be in use, which is told', async () => {
    const path = join(scratch, 'in-use');
    await cp(join(scratch, 'whole'), path, { recursive: true });
    const folder = await RunFolder.open(path);
    try {
      const { findings, isWhole } = await checkRun(path);
      expect(isWhole).toBe(true);
      expect(findings[0]!.what).toContain(`in use by process ${process.pid}`);
    } finally {
      await folder.close();
    }
  });

  it('may hold stages of another configuration than the present, whose shapes are not asked for', async () => {
    const report = await foundAfter(async (path) => {
      const config = join(path, 'config.yaml');
      const text = await readFile(config, 'utf8');
      await writeFile(config, text.replace(/(experts:\n {2}count: )2/, '$13'));
    });
    expect(report.isWhole).toBe(true);
    expect(report.findings[0]!.what).toContain('another configuration than config.yaml: experts');
  });
});

describe('a folder with a flaw', () => {
  it.each(harms)('tells %s, what it means and what mends it', async (_, file, says, harm) => {
    const report = await foundAfter(harm);
    expect(report.isWhole).toBe(false);
    const found = flaws(report).find((finding) => finding.file === file && says.test(finding.what));
    expect(found, JSON.stringify(flaws(report), null, 1)).toBeDefined();
    expect(found!.means).not.toBe('');
    expect(found!.mends).not.toBe('');
    expect(describeCheck(report)).toContain('FLAW');
  });

  it.each<[file: string, harm: (path: string) => Promise<unknown>]>([
    ['manifest.json', (path) => writeFile(join(path, 'manifest.json'), '{"version":99,"stages":{}}')],
    ['result.json', (path) => writeFile(join(path, 'result.json'), '{"version":99}')],
    ['teacher.safetensors', (path) => changeTensors(path, 'teacher.safetensors', () => {}, { version: '7' })],
  ])('asks for the newer version that wrote %s, and not to make it again', async (file, harm) => {
    const report = await foundAfter(harm);
    expect(report.isWhole).toBe(false);
    expect(flaws(report).map((finding) => [finding.file, finding.mends])).toEqual([
      [file, 'Use that version of hypergrad.'],
    ]);
    if (file === 'manifest.json') expect(report.findings).toHaveLength(1);
  });

  it('tells a checkpoint of a newer version, at which a run stops', async () => {
    const report = await foundAfter(async (path) => {
      const file = join(path, 'checkpoint-distil.safetensors');
      const { tensors, metadata } = decodeSafetensors(await readFile(file), file);
      await writeFile(file, encodeSafetensors(tensors, { ...metadata, version: '3' }));
    }, 'stopped');
    expect(flaws(report).map(({ what, mends }) => `${what} ${mends}`)).toEqual([
      expect.stringMatching(/^It is of version 3, .* up to 2\. Use that version of hypergrad, or delete/),
    ]);
  });

  it('tells a damaged checkpoint, and that its stage begins anew', async () => {
    const report = await foundAfter(
      (path) => truncate(join(path, 'checkpoint-distil.safetensors'), 500),
      'stopped',
    );
    expect(flaws(report).map(({ file, means }) => [file, means])).toEqual([
      ['checkpoint-distil.safetensors', expect.stringContaining('The stage distil begins anew')],
    ]);
  });

  it('is mended by the same command, as it says', async () => {
    const path = join(scratch, 'mended');
    await cp(join(scratch, 'whole'), path, { recursive: true });
    await rm(join(path, EXPERT));
    await rm(join(path, 'result.json'));
    await writeFile(join(path, 'config.yaml'), '');
    expect((await checkRun(path)).isWhole).toBe(false);
    await run(path);
    expect((await checkRun(path)).findings).toEqual([]);
  });
});

describe('what is no folder of a run', () => {
  it('is refused with what to do', async () => {
    await mkdir(join(scratch, 'empty'));
    await writeFile(join(scratch, 'file'), '');
    for (const name of ['empty', 'none', 'file']) {
      await expect(checkRun(join(scratch, name))).rejects.toThrow(StoreError);
      await expect(checkRun(join(scratch, name))).rejects.toThrow(/Name (one|the folder of a run), such as/);
    }
  });
});
