import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeCheck } from '../../../src/cli/commands/check.js';
import { createProgram } from '../../../src/cli/program.js';
import type { CheckReport } from '../../../src/pipeline/check/checkRun.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';

let path: string;
let printed: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'hypergrad-check-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await rm(path, { recursive: true });
});

const check = (...more: string[]) =>
  createProgram().parseAsync(['node', 'hypergrad', 'check', path, ...more]);

describe('hypergrad check', () => {
  it('ends with 6 where something is flawed, and prints what as JSON when asked', async () => {
    await (await RunFolder.open(path)).close();
    await check('--json');
    expect(process.exitCode).toBe(6);
    const report = JSON.parse(printed) as CheckReport;
    expect(report.isWhole).toBe(false);
    expect(report.findings.map(({ kind, file }) => [kind, file])).toEqual([['flaw', 'config.yaml']]);
  });

  it('ends with 0 where a run has only begun', async () => {
    await (await RunFolder.open(path)).close();
    await writeFile(join(path, 'config.yaml'), 'preset: tiny-test\n');
    await check();
    expect(process.exitCode).toBe(0);
    expect(printed).toContain('Not finished: teacher, targets, experts, subset, distil, evaluate.');
    expect(printed).toContain(`${path} is whole: 2 files`);
  });

  it('refuses what is no folder of a run', async () => {
    await expect(check()).rejects.toThrow(/is not the folder of a run: it has no manifest\.json/);
  });
});

it('describes a flaw by its file, what it means and what mends it', () => {
  const text = describeCheck({
    ...{ folder: 'runs/a', isWhole: false, files: 3, bytes: 2048 },
    stages: [{ stage: 'teacher', state: 'done', files: 1 }],
    findings: [{ kind: 'flaw', file: 'a.json', what: 'It is gone.', means: 'A loss.', mends: 'Run again.' }],
  });
  expect(text).toContain('teacher  done');
  expect(text).toContain('FLAW a.json: It is gone.\n     A loss.\n     Run again.');
  expect(text).toContain('runs/a has 1 flaw: 3 files, 2');
});
