import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { arraysOf, type JobArray } from '../../../../src/pipeline/sweep/slurm/arrays.js';
import {
  jobsFile,
  type ScriptOptions,
  scriptText,
  submitText,
} from '../../../../src/pipeline/sweep/slurm/script.js';
import { tinyGraph } from '../../../support/slurm/tinyGraph.js';

const scratch = mkdtempSync(join(tmpdir(), 'hypergrad-script-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const array: JobArray = {
  name: 'expert-0123456789ab',
  kind: 'expert',
  jobs: ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'],
  request: { minutes: 1505, mebibytes: 2048 },
  waitsFor: [],
};
const options: ScriptOptions = {
  sweepName: '0badcafe',
  folder: "/shared/it's 100 %",
  workingFolder: '/home/me',
  command: ['/usr/bin/node', '/opt/hypergrad/cli.js'],
  jobOptions: ['--device', 'hardware'],
  gpus: 1,
  options: [],
  setup: [],
};
const directives = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('#SBATCH '));

describe('scriptText', () => {
  it('asks for what the estimate says, and begins again where a node is lost', () => {
    expect(directives(scriptText(array, options))).toEqual([
      '#SBATCH --job-name=hypergrad-0badcafe-expert-0123456789ab',
      '#SBATCH --chdir=/home/me',
      "#SBATCH --output='/shared/it'\\''s 100 %%/slurm/logs/expert-0123456789ab-%A_%a.log'",
      '#SBATCH --open-mode=append',
      '#SBATCH --array=0-2',
      '#SBATCH --ntasks=1',
      '#SBATCH --time=1-01:05:00',
      '#SBATCH --mem=2048M',
      '#SBATCH --gres=gpu:1',
      '#SBATCH --requeue',
      '#SBATCH --kill-on-invalid-dep=yes',
    ]);
  });

  it('puts the user’s options in the place of its own, also those that ask for the same by another name', () => {
    const text = scriptText(array, {
      ...options,
      options: [
        { name: 'time', value: '30' },
        { name: 'mem-per-cpu', value: '1G' },
        { name: 'exclusive', value: null },
      ],
    });
    const lines = directives(text).join('\n');
    expect(lines).not.toMatch(/1-01:05:00|--mem=/);
    expect(lines).toMatch(/--time=30\n#SBATCH --mem-per-cpu=1G\n#SBATCH --exclusive$/);
  });

  it('leaves out limits that nobody knows, and GPUs that nobody asked for', () => {
    const text = scriptText(
      { ...array, request: { minutes: null, mebibytes: null } },
      { ...options, gpus: 0 },
    );
    expect(text).not.toMatch(/--(time|mem|gres)/);
  });

  it('is a script in which each task becomes its job, behind the user’s own lines', () => {
    const folder = join(scratch, "a sweep's");
    mkdirSync(join(folder, 'slurm'), { recursive: true });
    writeFileSync(join(folder, 'slurm', jobsFile(array.name)), array.jobs.map((job) => `${job}\n`).join(''));
    const text = scriptText(array, {
      ...options,
      folder,
      command: ['/bin/echo', 'a b'],
      setup: ['export SET_UP=1', 'test "$SET_UP" = 1'],
    });
    const output = execFileSync('sh', ['-c', text], {
      env: { ...process.env, SLURM_ARRAY_TASK_ID: '1' },
      encoding: 'utf8',
    });
    expect(output).toBe(`a b job bbbbbbbb --sweep ${folder} --device hardware\n`);
  });
});

describe('submitText', () => {
  it('submits every array behind the numbers of those before, as a shell runs it', () => {
    const arrays = arraysOf(tinyGraph(), {
      wanted: new Set(tinyGraph().jobs.map(({ hash }) => hash)),
      queued: new Map(),
      requestOf: () => array.request,
      mostTasks: 1000,
    });
    const bin = join(scratch, 'bin');
    mkdirSync(bin);
    // Answers as SLURM does in a federation.
    writeFileSync(
      join(bin, 'sbatch'),
      `#!/bin/sh\necho "$@" >> ${scratch}/calls\necho "$((100 + $(wc -l < ${scratch}/calls)));cluster"\n`,
      { mode: 0o755 },
    );
    const script = join(scratch, 'submit.sh');
    writeFileSync(script, submitText(arrays));
    execFileSync('sh', [script], { env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
    const calls = readFileSync(join(scratch, 'calls'), 'utf8').trimEnd().split('\n');
    expect(calls).toHaveLength(arrays.length);
    expect(calls[0]).toBe(`--parsable ${arrays[0]!.name}.sh`);
    expect(calls[1]).toBe(`--parsable --dependency=afterok:101 ${arrays[1]!.name}.sh`);
    expect(calls.at(-1)).toMatch(/--dependency=afterok:.*105_1/);
  });
});
