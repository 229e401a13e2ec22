import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeCancel } from '../../../src/cli/commands/cancel.js';
import { createProgram } from '../../../src/cli/program.js';
import { describeSubmission } from '../../../src/cli/sweep/slurm.js';
import { ConfigError, SchedulerError } from '../../../src/errors.js';

const home = process.cwd();
let scratch = '';
let said = '';
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-cli-slurm-'));
  process.chdir(scratch);
  writeFileSync('two.yaml', 'preset: tiny-test\ngrid: { distil.steps: [1, 2] }\n');
  said = '';
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
  // No SLURM is found, whatever this machine has.
  vi.stubEnv('PATH', '');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.chdir(home);
  rmSync(scratch, { recursive: true, force: true });
});

const hypergrad = (...words: string[]): Promise<unknown> =>
  createProgram('/opt/hypergrad/cli.js').parseAsync(words, { from: 'user' });

describe('hypergrad sweep --slurm', () => {
  it('writes scripts in a dry run, without SLURM, a device or a result', async () => {
    await hypergrad(
      ...['sweep', 'two.yaml', '--slurm', '--dry-run', '--no-estimate', '--json', '--device', 'hardware'],
      ...['--slurm-gpus', '2', '--slurm-option=partition=gpu', '--slurm-option', 'time=90'],
      ...['--slurm-setup', 'module load nodejs'],
    );
    const { sweep, scripts, arrays } = JSON.parse(said);
    expect([sweep, scripts]).toEqual(['sweeps/two', 'sweeps/two/slurm']);
    const [first] = arrays;
    expect(first).toMatchObject({ kind: 'teacher', tasks: 1, number: null });
    const script = readFileSync(join(scripts, `${first.name}.sh`), 'utf8');
    expect(script).toMatch(/--gres=gpu:2\n[\s\S]*--partition=gpu\n#SBATCH --time=90\n/);
    expect(script).toContain('\nmodule load nodejs\n');
    expect(script).toMatch(
      /^exec \S+ \/opt\/hypergrad\/cli\.js job "\$hash" --sweep \/.*\/sweeps\/two --device hardware$/m,
    );
    expect(existsSync(join(scripts, 'submit.sh'))).toBe(true);
    expect(readdirSync('sweeps/two/jobs')).toEqual([]);
  });

  it('says that there is no SLURM, before anything is written', async () => {
    await expect(hypergrad('sweep', 'two.yaml', '--slurm', '--no-estimate')).rejects.toThrow(SchedulerError);
    expect(existsSync('sweeps')).toBe(false);
  });

  it.each([
    [['--dry-run'], /--dry-run is about SLURM: give --slurm as well/],
    [['--slurm-gpus', '1'], /--slurm-gpus is about SLURM/],
    [['--slurm', '--slurm-gpus', 'two'], /must be a whole number from 0 to 64/],
    [['--slurm', '--slurm-option=array=0-3'], /array cannot be set/],
  ])('refuses %j', async (options, message) => {
    await expect(hypergrad('sweep', 'two.yaml', ...options)).rejects.toThrow(ConfigError);
    await expect(hypergrad('sweep', 'two.yaml', ...options)).rejects.toThrow(message);
  });
});

it('shows a sweep that no SLURM can be asked about by its folder alone, and says so', async () => {
  await hypergrad('sweep', 'two.yaml', '--slurm', '--dry-run', '--no-estimate', '--quiet');
  await hypergrad('status', 'sweeps/two');
  expect(said).toMatch(/^teacher +0 +0 +1 +0 +0$/m);
  expect(process.stderr.write).toHaveBeenCalledWith(
    expect.stringMatching(/^Without what SLURM knows: .*squeue/),
  );
  await expect(hypergrad('cancel', 'sweeps/two')).rejects.toThrow(SchedulerError);
});

it('tells what a submission came to', () => {
  const arrays = [{ name: 'expert-1', kind: 'expert', tasks: 8, number: 12 }] as const;
  expect(describeSubmission({ arrays, done: 2, queued: 3 }, 'sweeps/a b', false)).toBe(
    "Submitted 8 jobs in 1 array; 2 are done, SLURM has 3 already.\nHow far they are: hypergrad status 'sweeps/a b'",
  );
  expect(describeSubmission({ arrays: [], done: 2, queued: 0 }, 'a', false)).toBe(
    'Nothing to submit; 2 are done.',
  );
});

it('tells what was cancelled', () => {
  expect(describeCancel({ running: 1, queued: 12 })).toMatch(
    /^Cancelled 1 job that ran and 12 jobs that waited\. /,
  );
  expect(describeCancel({ running: 0, queued: 0 })).toBe('SLURM has no job of this sweep.');
});
