import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { InterruptedError } from '../../../src/errors.js';
import { ourselves } from '../../../src/pipeline/store/lockOwner.js';
import { claimJob, findClaim } from '../../../src/pipeline/sweep/claim.js';
import { pathsOf } from '../../../src/pipeline/sweep/sweepFolder.js';

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof import('node:fs')>();
  return { ...actual, writeFileSync: vi.fn(actual.writeFileSync) };
});

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-claims-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

let jobs = 0;
const newJob = (): string => String(jobs++).padStart(20, '0');
const times = { beat: 5, stale: 60, look: 2 };
const end = { outcome: 'stopped', message: 'Stopped.', exitCode: 130, at: '' } as const;

/** A claim that a worker on another machine has made. */
async function claimElsewhere(hash: string): Promise<void> {
  const folder = pathsOf(scratch).claims(hash);
  mkdirSync(folder, { recursive: true });
  const owner = { ...(await ourselves()), machine: 'elsewhere', realm: 'another boot' };
  writeFileSync(join(folder, '0.json'), JSON.stringify(owner));
}

it.skipIf(process.platform === 'win32')(
  'does not wait for a pipe that is called a claim (POSIX only: mkfifo)',
  async () => {
    const hash = newJob();
    const folder = pathsOf(scratch).claims(hash);
    mkdirSync(folder, { recursive: true });
    execFileSync('mkfifo', [join(folder, '0.json')]);
    expect(await findClaim(scratch, hash)).toEqual({ number: 0, owner: null, end: null });
  },
);

it('gives a job to one of many workers', async () => {
  const hash = newJob();
  const stopping = new AbortController();
  const all = Array.from({ length: 8 }, () => claimJob(scratch, hash, { times, signal: stopping.signal }));
  const first = await Promise.race(all);
  stopping.abort();
  const settled = await Promise.allSettled(all);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const each of settled) {
    if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(InterruptedError);
  }
  first!.stop();
});

it('gives it to the next one when it is given back', async () => {
  const hash = newJob();
  const first = (await claimJob(scratch, hash, { times }))!;
  const next = claimJob(scratch, hash, { times });
  await first.giveBack(end);
  const claim = (await next)!;
  expect([first.number, claim.number]).toEqual([0, 1]);
  await expect(first.check()).rejects.toThrow(/another worker has taken the job over/);
  await claim.check();
  claim.stop();
});

it('takes it over from a process of this machine that has died, at once', async () => {
  const hash = newJob();
  const folder = pathsOf(scratch).claims(hash);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '0.json'), JSON.stringify({ ...(await ourselves()), start: 'an earlier one' }));
  const claim = (await claimJob(scratch, hash, { times: { ...times, stale: 1e9 } }))!;
  expect(claim.number).toBe(1);
  claim.stop();
});

it('waits for a worker of another machine as long as it shows life, whatever its clock says', async () => {
  const hash = newJob();
  await claimElsewhere(hash);
  const beat = join(pathsOf(scratch).claims(hash), '0.beat');
  let count = 0;
  const pulse = setInterval(() => writeFileSync(beat, String(++count)), times.beat);
  let told = '';
  // Much longer than a busy machine holds up the pulse.
  const patient = { ...times, stale: 600 };
  const next = claimJob(scratch, hash, { times: patient, waiting: (text) => (told = text) });
  const isEarly = await Promise.race([
    next.then(() => true),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), 1.5 * patient.stale)),
  ]);
  expect(isEarly).toBe(false);
  expect(told).toMatch(/process \d+ on elsewhere has it/);
  clearInterval(pulse);
  expect((await next)!.number).toBe(1);
});

it('tells an owner that was held up that it has lost the job', async () => {
  const hash = newJob();
  const first = (await claimJob(scratch, hash, { times }))!;
  writeFileSync(join(pathsOf(scratch).claims(hash), '1.json'), '');
  await new Promise<void>((resolve) => first.lost.addEventListener('abort', () => resolve()));
  first.stop();
});

it('makes nothing of a claim that says nothing, but for its time', async () => {
  const hash = newJob();
  mkdirSync(pathsOf(scratch).claims(hash), { recursive: true });
  writeFileSync(join(pathsOf(scratch).claims(hash), '0.json'), '{');
  expect(await findClaim(scratch, hash)).toEqual({ number: 0, owner: null, end: null });
  const claim = (await claimJob(scratch, hash, { times }))!;
  expect(claim.number).toBe(1);
  claim.stop();
});

it('gives no job whose result is there, and clears its claims away', async () => {
  const hash = newJob();
  mkdirSync(pathsOf(scratch).job(hash), { recursive: true });
  writeFileSync(pathsOf(scratch).record(hash), '{}');
  expect(await claimJob(scratch, hash, { times })).toBeNull();
  expect(readdirSync(join(scratch, 'claims'))).not.toContain(hash);
});

it('finds a job done whose claims are removed while it makes one', async () => {
  const hash = newJob();
  vi.mocked(writeFileSync).mockImplementationOnce((path) => {
    mkdirSync(pathsOf(scratch).job(hash), { recursive: true });
    writeFileSync(pathsOf(scratch).record(hash), '{}');
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  });
  expect(await claimJob(scratch, hash, { times })).toBeNull();
});
