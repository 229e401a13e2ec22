/** Sweeps by processes of their own, which are stopped and killed on the way. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../../support/bundle.js';
import { folderContents } from '../../support/folderContents.js';
import { type Ended, type StartOptions, startCommand } from '../../support/startCommand.js';

const SWEEP = `preset: tiny-test
config:
  data: { train: 100, test: 50 }
  experts: { count: 2 }
  evaluate: { seeds: 1, rows: [mkdt], batch: 5, labels: [0.2] }
grid: { distil.steps: [1, 2] }
seeds: [1, 2]
`;
/** For each seed a teacher, targets, experts and a subset, and for each setting a distillation, an evaluation and a report. */
const JOBS = 2 * (1 + 1 + 2 + 1 + 2 * 3);

let built: Bundle;
let scratch = '';
beforeAll(async () => {
  built = await bundle({ cli: 'src/cli/main.ts' });
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-sweeps-'));
  writeFileSync(join(scratch, 'two.yaml'), SWEEP);
});
afterAll(async () => {
  await built.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** Runs the command; `onLine` is told of every line on stderr. */
const hypergrad = (args: readonly string[], onLine?: StartOptions['onLine']): Promise<Ended> =>
  startCommand(built.entry('cli'), args, { cwd: scratch, ...(onLine && { onLine }) }).ended;

const sweep = ['sweep', 'two.yaml', '--workers', '2'];
const doneIn = (folder: string): number => readdirSync(join(scratch, folder, 'jobs')).length;
const status = async (folder: string) => JSON.parse((await hypergrad(['status', folder, '--json'])).stdout);

/** A process that has a job now; null where none has one. */
function workingProcess(folder: string): number | null {
  const claims = join(scratch, folder, 'claims');
  for (const hash of readdirSync(claims)) {
    try {
      const names = readdirSync(join(claims, hash));
      const last = Math.max(...names.map((name) => Number.parseInt(name, 10)));
      if (names.includes(`${last}.end.json`)) continue;
      return JSON.parse(readFileSync(join(claims, hash, `${last}.json`), 'utf8')).process;
    } catch {
      // It has just been finished.
    }
  }
  return null;
}

describe('hypergrad sweep', () => {
  it('is planned without a device, with what runs share', async () => {
    const { stdout, code } = await hypergrad(['plan', 'two.yaml', '--no-estimate']);
    expect(code).toBe(0);
    expect(stdout).toContain(`${JOBS} jobs for 4 runs, which would be 32 if they shared none.`);
    const { jobs, members } = JSON.parse(
      (await hypergrad(['plan', 'two.yaml', '--no-estimate', '--json'])).stdout,
    );
    expect([jobs.length, members.length]).toEqual([JOBS, 4]);
  });

  it('stops at Ctrl-C, outlives a killed worker and a kill of itself, and ends with the bits of single runs', async () => {
    const stopped = await hypergrad(sweep, (line, child) => {
      if (line.startsWith('[1/')) child.kill('SIGINT');
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toContain('Stopping each job after its step');
    expect(stopped.stdout).toContain(
      'To go on with what is missing: hypergrad sweep two.yaml --out sweeps/two',
    );
    const afterStop = doneIn('sweeps/two');
    expect(afterStop).toBeLessThan(JOBS);
    expect((await status('sweeps/two')).counts).toMatchObject({ running: 0, failed: 0, done: afterStop });

    let victim: number | null = null;
    let wasKilled = false;
    const bereft = await hypergrad(sweep, () => {
      victim ??= workingProcess('sweeps/two');
      if (victim === null || wasKilled) return;
      process.kill(victim, 'SIGKILL');
      wasKilled = true;
    });
    expect(victim).not.toBeNull();
    expect(bereft.code, bereft.stderr).toBe(3);
    expect(bereft.stderr).toMatch(/failed: The process of the job was killed/);

    const killed = await hypergrad(sweep, (line, child) => {
      if (line.startsWith('[')) child.kill('SIGKILL');
    });
    expect(killed.code).toBeNull();

    const last = await hypergrad([...sweep, '--json']);
    expect(last.code, last.stderr).toBe(0);
    const { counts, failed, results } = JSON.parse(last.stdout);
    expect(counts.found + counts.done).toBe(JOBS);
    expect(failed).toEqual([]);
    expect(results.rows).toHaveLength(4 * 2);
    expect((await status('sweeps/two')).counts).toMatchObject({ done: JOBS, failed: 0, waiting: 0 });

    const [name] = readdirSync(join(scratch, 'sweeps/two/runs')).filter((run) => run.endsWith('seed=2'));
    const alone = await hypergrad(['run', `sweeps/two/configs/${name}.yaml`, '--out', 'alone']);
    expect(alone.code, alone.stderr).toBe(0);
    expect(folderContents(join(scratch, 'sweeps/two/runs', name!))).toEqual(
      folderContents(join(scratch, 'alone')),
    );
  });

  it('runs one job by what it does, and says which it would be where there are several', async () => {
    const { stderr, code } = await hypergrad(['job', 'teacher', '--sweep', 'sweeps/two']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('"teacher" means 2 jobs of the sweep')]);
    const [hash] = readdirSync(join(scratch, 'sweeps/two/jobs'));
    rmSync(join(scratch, 'sweeps/two/jobs', hash!), { recursive: true });
    const made = await hypergrad(['job', hash!.slice(0, 8), '--sweep', 'sweeps/two', '--json']);
    expect(made.code, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ hash, wasDone: false });
  });

  it('says what does not fit', async () => {
    for (const [args, code, message] of [
      [['status', 'nowhere'], 6, 'is not the folder of a sweep'],
      [['sweep', 'two.yaml', '--workers', '0'], 2, 'must be a whole number from 1 to'],
      [['sweep', 'two.yaml', '--data', 'nowhere'], 5, 'nowhere'],
      [['job', 'ffff'], 2, '--sweep'],
    ] as const) {
      const ended = await hypergrad(args);
      expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
    }
  });
});
