/** The runs that a sweep leaves: each finished member as a folder of its own, which appears at once. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { exists } from '../store/exists.js';
import { writingFailure } from '../store/failures.js';
import { CONFIG, RESULT } from '../store/fileNames.js';
import { nodeFileSystem } from '../store/fileSystem.js';
import { MANIFEST } from '../store/manifest.js';
import type { JobGraph } from './graph.js';
import { filesOf, placeFiles, readText } from './jobFolder.js';
import { JOB_RECORD, pathsOf } from './sweepFolder.js';

/** How the names of runs begin that are made in `work`. */
const RUN = 'run-';

/** Leaves a finished member as a run's folder of its own, in the place of what an earlier sweep left there. Throws `StoreError`. */
async function publish(sweep: string, member: string, report: string): Promise<void> {
  const paths = pathsOf(sweep);
  const [from, to] = [paths.job(report), paths.run(member)];
  // Of a run whose manifest and result are these, all is there: it appeared at once.
  const said = (folder: string): Promise<string[]> =>
    Promise.all([RESULT, MANIFEST, CONFIG].map((name) => readText(join(folder, name)).catch(() => '')));
  const [wanted, found] = [await said(from), await said(to)];
  if (wanted.every((text, k) => text === found[k])) return;
  const beside = join(paths.work, `${RUN}${randomUUID()}`);
  const aside = `${beside}-old`;
  try {
    await placeFiles(
      from,
      beside,
      (await filesOf(from)).filter((name) => name !== JOB_RECORD),
    );
    await mkdir(paths.runs, { recursive: true });
    await rename(to, aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rename(beside, to).catch((error: NodeJS.ErrnoException) => {
      // Another worker has just left the same.
      if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error;
    });
    await nodeFileSystem.syncFolder(paths.runs);
  } catch (error) {
    throw error instanceof StoreError ? error : writingFailure(to, 'written', error);
  } finally {
    for (const folder of [beside, aside])
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Leaves the runs of all members that a report is of. Throws `StoreError`. */
export async function publishReport(sweep: string, { members }: JobGraph, report: string): Promise<void> {
  for (const { name, jobs } of members) if (jobs.at(-1) === report) await publish(sweep, name, report);
}

/**
 * Leaves the runs that are missing of members whose report is done: whoever made the report may have been killed before it left
 * them, the user may have deleted one, or an earlier sweep called the run something else, or another run so. A folder in which
 * somebody has run something since stays. Throws `StoreError`.
 */
export async function publishMissing(
  sweep: string,
  { members }: Pick<JobGraph, 'members'>,
  finished: ReadonlySet<string>,
): Promise<void> {
  const paths = pathsOf(sweep);
  for (const { name, jobs } of members) {
    const report = jobs.at(-1)!;
    if (!finished.has(report)) continue;
    // Two looks at each, for a large sweep has thousands.
    const found = await stat(join(paths.run(name), MANIFEST)).catch(() => null);
    if (found === null) {
      if (!(await exists(paths.run(name)))) await publish(sweep, name, report);
      continue;
    }
    const made = await stat(join(paths.job(report), MANIFEST)).catch(() => null);
    // A manifest that is still one file with a job's is as a sweep has left it.
    if (made !== null && found.ino !== made.ino && found.nlink > 1) await publish(sweep, name, report);
  }
}

/** Milliseconds after which a run that lies in `work` is no longer on its way to its place. */
const FORGOTTEN = 3_600_000;

/**
 * Removes what is left of work on jobs that are done, such as of a worker that was killed beside another one, and of runs that were
 * to get their places when somebody was killed. Never rejects.
 */
export async function forgetWork(sweep: string, finished: ReadonlySet<string>): Promise<void> {
  const { work } = pathsOf(sweep);
  for (const name of await readdir(work).catch(() => [])) {
    const path = join(work, name);
    const [hash = ''] = name.split('.');
    const isLeft = name.startsWith(RUN)
      ? Date.now() - ((await stat(path).catch(() => null))?.mtimeMs ?? Number.POSITIVE_INFINITY) > FORGOTTEN
      : finished.has(hash);
    if (isLeft) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
