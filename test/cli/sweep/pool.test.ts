/** The pool of processes, over a script that answers it without a device. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type JobPool, openPool } from '../../../src/cli/sweep/pool.js';
import { InterruptedError } from '../../../src/errors.js';

const workerpool = pathToFileURL(createRequire(import.meta.url).resolve('workerpool')).href;

/** Says its number, listens once it may, and ends a job when it is asked to. */
const SCRIPT = `
import { existsSync, writeFileSync } from 'node:fs';
import workerpool from '${workerpool}';
const sweep = process.argv.at(-1);
writeFileSync(sweep + '/begun', String(process.pid));
while (!existsSync(sweep + '/listens')) await new Promise((resolve) => setTimeout(resolve, 5));
const stopped = new Promise((resolve) => process.on('SIGINT', resolve));
const job = async () => {
  workerpool.workerEmit({ process: process.pid });
  await stopped;
  throw Object.assign(new Error('Stopped, and kept.'), { exitCode: 130 });
};
workerpool.worker({ job });
`;

let sweep = '';
let pool: JobPool;
beforeEach(() => {
  sweep = mkdtempSync(join(tmpdir(), 'hypergrad-pool-'));
  const script = join(sweep, 'worker.mjs');
  writeFileSync(script, SCRIPT);
  pool = openPool({ script, sweep, flags: {} });
});
afterEach(async () => {
  await pool.close();
  rmSync(sweep, { recursive: true, force: true });
});

/** A job in a process that does not listen yet: what became of it, and the process' number. */
async function begin(): Promise<{ readonly ended: Promise<unknown>; readonly child: number }> {
  const ended = pool.execute('0'.repeat(20)).catch((error: unknown) => error);
  await vi.waitUntil(() => existsSync(join(sweep, 'begun')) && readFileSync(join(sweep, 'begun')).length > 0);
  return { ended, child: Number(readFileSync(join(sweep, 'begun'), 'utf8')) };
}

it('stops a job whose process was still starting as soon as that listens', async () => {
  const { ended } = await begin();
  pool.stop();
  writeFileSync(join(sweep, 'listens'), '');
  expect(await ended).toMatchObject({ message: 'Stopped, and kept.', exitCode: 130 });
});

it('takes a process that a terminal ended before it listened for stopped', async () => {
  const { ended, child } = await begin();
  pool.stop();
  process.kill(child, 'SIGINT');
  expect(await ended).toBeInstanceOf(InterruptedError);
});

it('takes a process that was killed for failed', async () => {
  const { ended, child } = await begin();
  process.kill(child, 'SIGKILL');
  expect(await ended).toMatchObject({ exitCode: 3, message: expect.stringContaining('was killed') });
});
