/** Whole sweeps of a cut-down preset: their runs are those of `hypergrad run`, whatever happens on the way. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InterruptedError, StoreError } from '../../../src/errors.js';
import type { Device } from '../../../src/gpu/device.js';
import { checkRun } from '../../../src/pipeline/check/checkRun.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../../src/pipeline/progress.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { dependantsOf, type Member } from '../../../src/pipeline/sweep/graph.js';
import { forgetWork, publishMissing } from '../../../src/pipeline/sweep/publish.js';
import { resultsCsv } from '../../../src/pipeline/sweep/results.js';
import { writeResults } from '../../../src/pipeline/sweep/resultsPage.js';
import { type JobOutcome, runJob, type Worker } from '../../../src/pipeline/sweep/runJob.js';
import type { SweepOutcome } from '../../../src/pipeline/sweep/runSweep.js';
import { sweepStatus } from '../../../src/pipeline/sweep/status.js';
import { pathsOf, writeSweep } from '../../../src/pipeline/sweep/sweepFolder.js';
import { useDevice } from '../../support/device.js';
import { folderContents } from '../../support/folderContents.js';
import { jobOf, optionsFor, runTinySweep, type TinySweep, tinySweep } from '../../support/tinySweep.js';

const opened = useDevice();
let device: Device;
let scratch = '';
let planned: TinySweep;
let whole = '';
let outcome: SweepOutcome;

beforeAll(async () => {
  device = await opened();
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-sweep-'));
  planned = await tinySweep();
  whole = join(scratch, 'whole');
  outcome = await runTinySweep(device, whole, planned);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A copy of the whole sweep without the results of some jobs. */
function without(name: string, hashes: readonly string[]): string {
  const copy = join(scratch, name);
  cpSync(whole, copy, { recursive: true });
  for (const hash of hashes) rmSync(pathsOf(copy).job(hash), { recursive: true });
  return copy;
}

/** What a job left, its record aside: that says when and how long. */
function resultOf(sweep: string, hash: string): Record<string, string> {
  const { 'job.json': _, ...contents } = folderContents(pathsOf(sweep).job(hash));
  return contents;
}

describe('a sweep', () => {
  it('does every job once, and leaves neither work nor claims', () => {
    const { graph } = planned;
    expect(outcome).toMatchObject({ found: 0, failed: [], blocked: [], isStopped: false });
    expect(outcome.done).toHaveLength(graph.jobs.length);
    expect(readdirSync(pathsOf(whole).jobs).sort()).toEqual(graph.jobs.map(({ hash }) => hash).sort());
    expect(readdirSync(pathsOf(whole).work)).toEqual([]);
    expect(readdirSync(join(whole, 'claims'))).toEqual([]);
  });

  it('leaves runs with the bits of `hypergrad run`, which are whole', async () => {
    const { config, name } = planned.runs[2]!;
    const alone = join(scratch, 'alone');
    const folder = await RunFolder.open(alone);
    const dataset = await loadDataset(config.data, config.seed);
    const options = { config, dataset, folder, device, progress: silentProgress };
    const result = await runPipeline({ ...options, command: 'a run by itself' });
    await folder.close();
    const run = pathsOf(whole).run(name);
    expect(folderContents(run)).toEqual(folderContents(alone));
    const { seconds, ...rest } = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'));
    const command = 'hypergrad run config.yaml';
    expect(rest).toEqual({ version: 1, ...result, command, seconds: undefined });
    expect(Object.keys(seconds)).toEqual(Object.keys(result.seconds));
    expect((await checkRun(run)).isWhole).toBe(true);
  });

  it('has nothing to do the second time', async () => {
    const again = await runTinySweep(device, whole, planned);
    expect(again).toMatchObject({ found: planned.graph.jobs.length, done: [] });
  });

  it('leaves a run again that is missing or another’s, and none in which somebody has run something', async () => {
    const { graph } = planned;
    const copy = without('unpublished', []);
    const { run, job } = pathsOf(copy);
    const [deleted, changed, other, rest] = graph.members as [Member, Member, Member, Member];
    rmSync(run(deleted.name), { recursive: true });
    const own = join(run(changed.name), 'config.yaml');
    writeFileSync(own, 'seed: 3\n');
    // As an earlier sweep has left it, which called another run so.
    rmSync(run(other.name), { recursive: true });
    mkdirSync(run(other.name));
    linkSync(join(job(rest.jobs.at(-1)!), 'manifest.json'), join(run(other.name), 'manifest.json'));
    const renamed = { ...rest, name: 'another-name' };
    const finished = new Set(graph.jobs.map(({ hash }) => hash));
    await publishMissing(copy, { members: [deleted, changed, other, renamed] }, finished);
    for (const [name, of] of [
      [deleted, deleted],
      [other, other],
      [renamed, rest],
    ]) {
      expect(folderContents(run(name!.name))).toEqual(folderContents(pathsOf(whole).run(of!.name)));
    }
    expect(readFileSync(own, 'utf8')).toBe('seed: 3\n');
    expect(readdirSync(pathsOf(copy).work)).toEqual([]);
  });

  it('keeps its own events where a run that it left goes on', async () => {
    const { graph } = planned;
    const copy = without('goes-on', []);
    const [{ name, jobs }] = graph.members as [(typeof graph.members)[number]];
    rmSync(pathsOf(copy).run(name), { recursive: true });
    await publishMissing(copy, graph, new Set(jobs));
    const events = join(pathsOf(copy).job(jobs.at(-1)!), 'events.jsonl');
    const before = readFileSync(events, 'utf8');
    appendFileSync(join(pathsOf(copy).run(name), 'events.jsonl'), '{}\n');
    expect(readFileSync(events, 'utf8')).toBe(before);
  });

  it('removes what a kill has left of runs on their way to their places, and none that is', async () => {
    const { work } = pathsOf(without('litter', []));
    const hoursAgo = new Date(Date.now() - 7.2e6);
    for (const name of ['run-1', 'run-1-old', 'run-2']) mkdirSync(join(work, name), { recursive: true });
    for (const name of ['run-1', 'run-1-old']) utimesSync(join(work, name), hoursAgo, hoursAgo);
    await forgetWork(join(work, '..'), new Set());
    expect(readdirSync(work)).toEqual(['run-2']);
  });

  it('gives its results as rows with their device, as JSON and as a page', async () => {
    const results = await writeResults(whole, planned.graph);
    expect(results.paths).toEqual(['distil.steps']);
    // Two encoders: one share of labels and equation (3), for the student and for the MLP.
    expect(results.rows).toHaveLength(4 * 2 * 2 * 2);
    expect(results.groups).toHaveLength(results.rows.length / 2);
    const [group] = results.groups;
    const own = results.rows.filter(
      (row) =>
        row.values['distil.steps'] === group!.values['distil.steps'] &&
        [row.measure, row.student, row.row].join() === [group!.measure, group!.student, group!.row].join(),
    );
    expect(own.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(group!.mean).toBeCloseTo((own[0]!.mean + own[1]!.mean) / 2, 12);
    expect(group!.deviation).toBeCloseTo(Math.abs(own[0]!.mean - own[1]!.mean) / 2, 12);
    expect(new Set(results.rows.map(({ devices }) => devices.join())).size).toBe(1);
    expect(results.rows.some(({ isMarked }) => isMarked)).toBe(false);
    expect(resultsCsv(results).split('\r\n')).toHaveLength(results.rows.length + 2);
    expect(JSON.parse(readFileSync(join(whole, 'results.json'), 'utf8'))).toEqual(results);
    const page = readFileSync(join(whole, 'results.html'), 'utf8');
    expect(page).toContain('distil.steps = 1');
    expect(page).toContain('<svg role="img" aria-label="Test accuracy over distil.steps');
  });

  it('has all finished runs in its results, also one that another worker finishes while they are written', async () => {
    const { graph } = planned;
    const copy = without('late', []);
    const report = pathsOf(copy).job(graph.members[0]!.jobs.at(-1)!);
    renameSync(report, `${copy}/late`);
    const csv = join(copy, 'results.csv');
    rmSync(csv, { force: true });
    const written = writeResults(copy, graph);
    await vi.waitUntil(() => existsSync(csv), { interval: 1 });
    renameSync(`${copy}/late`, report);
    expect(new Set((await written).rows.map(({ run }) => run)).size).toBe(graph.members.length);
    expect(readFileSync(csv, 'utf8')).toContain(graph.members[0]!.name);
  });

  it('marks rows that were made on another kind of device', async () => {
    const { graph } = planned;
    const copy = without('mixed', []);
    const evaluation = graph.members[0]!.jobs.find(
      (hash) => graph.jobs.find((job) => job.hash === hash)!.kind === 'evaluation',
    )!;
    const path = pathsOf(copy).record(evaluation);
    const record = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...record, device: { ...record.device, name: 'Other <b>' } }));
    const results = await writeResults(copy, graph);
    const marked = new Set(results.rows.filter(({ isMarked }) => isMarked).map(({ run }) => run));
    expect([...marked]).toEqual([graph.members[0]!.name]);
    expect(results.rows[0]!.devices).toHaveLength(2);
    expect(readFileSync(join(copy, 'results.html'), 'utf8')).toContain('Other &lt;b&gt;');
  });
});

describe('a job', () => {
  it('goes on from what a try that was stopped has kept, to the same result', async () => {
    const job = jobOf(planned.graph, 'distil');
    const copy = without('stopped', [job.hash]);
    const stopping = new AbortController();
    const options = optionsFor(device, copy, planned.graph, {
      signal: stopping.signal,
      progress: { ...silentProgress, advanced: (_, done) => done === 2 && stopping.abort() },
    });
    await expect(runJob(job, options)).rejects.toThrow(InterruptedError);
    const stopped = (await sweepStatus(copy, planned.graph)).jobs.find((each) => each.job === job)!;
    expect(stopped).toMatchObject({ state: 'waiting', says: 'stopped as asked; goes on from there' });
    const steps: number[] = [];
    const progress = { ...silentProgress, advanced: (_: string, done: number) => void steps.push(done) };
    await runJob(job, optionsFor(device, copy, planned.graph, { progress }));
    expect(steps).toEqual([3, 4]);
    expect(resultOf(copy, job.hash)).toEqual(resultOf(whole, job.hash));
    expect(readdirSync(pathsOf(copy).work)).toEqual([]);
  });

  it('that two workers have ends with one result, and no damage', async () => {
    const job = jobOf(planned.graph, 'expert');
    const copy = without('twice', [job.hash]);
    const both = await Promise.all(
      [1, 2].map(() =>
        runJob(job, optionsFor(device, copy, planned.graph, { times: { beat: 50, stale: 9e5, look: 5 } })),
      ),
    );
    expect(both.map(({ wasDone }) => wasDone).sort()).toEqual([false, true]);
    expect(resultOf(copy, job.hash)).toEqual(resultOf(whole, job.hash));
  });

  it('that is taken over from a worker which shows no life is done by the other, and the first one finds its result', async () => {
    const job = jobOf(planned.graph, 'distil');
    const copy = without('taken', [job.hash]);
    const finding = { beat: 1e6, stale: 1, look: 1 };
    const options = optionsFor(device, copy, planned.graph);
    let second: JobOutcome | undefined;
    const heldUp: Worker = {
      ...options.worker,
      async compute(folder, progress, work) {
        const result = await options.worker.compute(folder, progress, work);
        // To the other one, this one is dead after a millisecond.
        second = await runJob(job, { ...options, times: finding });
        return result;
      },
    };
    const first = await runJob(job, { ...options, worker: heldUp });
    expect([first.wasDone, second?.wasDone]).toEqual([true, false]);
    expect(resultOf(copy, job.hash)).toEqual(resultOf(whole, job.hash));
    expect(readdirSync(pathsOf(copy).work)).toEqual([]);
    expect(readdirSync(join(copy, 'claims'))).toEqual([]);
  });

  it('that fails says why, blocks those that read it, and is tried again', async () => {
    const { graph } = planned;
    const distil = jobOf(graph, 'distil');
    const behind = dependantsOf(graph).get(distil.hash)!;
    const copy = without(
      'failing',
      [distil, ...behind].map(({ hash }) => hash),
    );
    const { worker } = optionsFor(device, copy, graph);
    const failing = await runTinySweep(device, copy, planned, {
      worker: {
        ...worker,
        async compute(folder, progress, work) {
          if (folder.path.includes(distil.hash)) throw new StoreError('The disk is gone.');
          return await worker.compute(folder, progress, work);
        },
      },
    });
    expect(failing.failed.map(({ job }) => job)).toEqual([distil]);
    expect(failing.blocked).toEqual(behind);
    const { counts, jobs } = await sweepStatus(copy, graph);
    expect(counts).toMatchObject({ failed: 1, blocked: behind.length, running: 0, waiting: 0 });
    const failed = jobs.find(({ state }) => state === 'failed')!;
    expect(failed.says).toBe('The disk is gone.');
    expect(readFileSync(failed.log!, 'utf8')).toContain('The disk is gone.');
    expect((await runTinySweep(device, copy, planned)).failed).toEqual([]);
    expect((await sweepStatus(copy, graph)).counts).toMatchObject({ done: graph.jobs.length, failed: 0 });
    expect(resultOf(copy, distil.hash)).toEqual(resultOf(whole, distil.hash));
  });

  it('refuses to run before those that it reads, and with other data than it was named by', async () => {
    const { graph, runs } = planned;
    const [teacher, targets] = [jobOf(graph, 'teacher'), jobOf(graph, 'targets')];
    const copy = without('early', [teacher.hash, targets.hash]);
    await expect(runJob(targets, optionsFor(device, copy, graph))).rejects.toThrow(
      new RegExp(`${teacher.hash} \\(teacher\\) is not done`),
    );
    const members = graph.members.map((member) => ({ ...member, data: 'e'.repeat(64) }));
    const other = { ...graph, members };
    await writeSweep(copy, other, runs);
    await expect(runJob(teacher, optionsFor(device, copy, other))).rejects.toThrow(/not those.*planned with/);
  });

  it('in a folder that takes no writes says so, and leaves what is there', async () => {
    const job = jobOf(planned.graph, 'expert');
    const copy = without('read-only', [job.hash]);
    rmSync(join(copy, 'claims'), { recursive: true });
    // Whoever may do everything is not held up by permissions: a file in the place of the folder is.
    writeFileSync(join(copy, 'claims'), '');
    await expect(runJob(job, optionsFor(device, copy, planned.graph))).rejects.toThrow(
      /claims.*cannot be created.*a file stands where a folder is needed/,
    );
    rmSync(join(copy, 'claims'));
    await runJob(job, optionsFor(device, copy, planned.graph));
    expect(resultOf(copy, job.hash)).toEqual(resultOf(whole, job.hash));
  });
});
