import { describe, expect, it } from 'vitest';
import { SchedulerError } from '../../../../src/errors.js';
import { type RunProgram, slurmCommands } from '../../../../src/pipeline/sweep/slurm/scheduler.js';

/** SLURM whose commands all answer the same, and what they were called with. */
function answering(answer: string): { slurm: ReturnType<typeof slurmCommands>; calls: string[] } {
  const calls: string[] = [];
  const run: RunProgram = async (program, args) => {
    calls.push([program, ...args].join(' '));
    return answer;
  };
  return { slurm: slurmCommands(run), calls };
}

/** SLURM whose commands all fail in this way. */
const failing = (failure: object) => slurmCommands(async () => Promise.reject(failure));

describe('submit', () => {
  it('waits for what it is told, and reads the number, in a federation too', async () => {
    const { slurm, calls } = answering('123;cluster\n');
    expect(await slurm.submit('a.sh', [])).toBe(123);
    expect(await slurm.submit('b.sh', ['12', '13_4'])).toBe(123);
    expect(calls).toEqual(['sbatch --parsable a.sh', 'sbatch --parsable --dependency=afterok:12:13_4 b.sh']);
  });

  it.each(['', 'Submitted batch job 12', '12 13', '-1'])('takes %j for no number', async (answer) => {
    await expect(answering(answer).slurm.submit('a.sh', [])).rejects.toThrow(SchedulerError);
  });
});

describe('a command that fails', () => {
  it('says that SLURM is not there', async () => {
    await expect(failing({ code: 'ENOENT' }).submit('a.sh', [])).rejects.toThrow(
      /SLURM is not on this machine: there is no command sbatch\. Run this where/,
    );
  });

  it('says that SLURM does not answer', async () => {
    await expect(failing({ code: null, killed: true }).queue()).rejects.toThrow(
      /did not answer squeue within/,
    );
  });

  it('says what SLURM said, in one short line', async () => {
    const stderr = `sbatch: error: invalid partition specified: none\nsbatch: error: Batch job submission failed: Invalid partition name specified\n${'x'.repeat(9999)}`;
    const failure = await failing({ code: 1, stderr })
      .submit('a.sh', [])
      .catch((error: Error) => error);
    expect(failure).toBeInstanceOf(SchedulerError);
    const { message } = failure as Error;
    expect(message).toMatch(/^SLURM's sbatch refused: invalid partition specified: none; Batch job/);
    expect(message.length).toBeLessThan(500);
    expect(message).not.toContain('\n');
  });

  it('is no fault where a cluster keeps no accounts', async () => {
    expect(await failing({ code: 1, stderr: 'Slurm accounting storage is disabled' }).history([1])).toEqual(
      [],
    );
  });
});

it('asks for the largest array, and goes by SLURM’s default where it is not told', async () => {
  expect(await answering('MaxArraySize            = 4001\nMaxJobCount = 1\n').slurm.mostTasks()).toBe(4001);
  expect(await answering('').slurm.mostTasks()).toBe(1001);
});

it('calls SLURM with so many ids at a time as a command line holds', async () => {
  const { slurm, calls } = answering('');
  await slurm.cancel(Array.from({ length: 2500 }, (_, index) => `7_${index}`));
  await slurm.history([1, 2]);
  expect(calls).toHaveLength(4);
  expect(calls[2]!.split(' ')).toHaveLength(502);
  expect(calls[3]).toContain('--jobs=1,2');
});
