import { Command } from 'commander';
import type { DeviceChoice } from '../../gpu/node/openDevice.js';
import { longDuration } from '../../pipeline/report/wording.js';
import { jobInWords } from '../../pipeline/sweep/graph.js';
import { writeResults } from '../../pipeline/sweep/resultsPage.js';
import { runJob } from '../../pipeline/sweep/runJob.js';
import { findJob, readGraph } from '../../pipeline/sweep/sweepFolder.js';
import { deviceOf } from '../asked.js';
import { note } from '../help.js';
import { stoppable } from '../interruption.js';
import { serveJobs, type WorkerFlags } from '../sweep/pool.js';
import { openWorker } from '../sweep/worker.js';
import { progressFor, voiceOf } from '../voice.js';

interface JobFlags {
  readonly sweep: string;
  readonly device?: DeviceChoice;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

async function job(name: string, flags: JobFlags): Promise<void> {
  const { sweep } = flags;
  const graph = await readGraph(sweep);
  const found = findJob(graph, name);
  const voice = voiceOf(flags);
  const progress = progressFor(flags);
  const outcome = await stoppable(async (signal) => {
    const worker = openWorker(deviceOf(flags), signal);
    try {
      return await runJob(found, { sweep, graph, worker, progress, signal, say: voice.step });
    } finally {
      progress.close();
      worker.close();
    }
  });
  // Whoever finishes a run brings the results up to date, until no other run was finished meanwhile.
  if (found.kind === 'report') await writeResults(sweep, graph);
  const { hash, wasDone, seconds } = outcome;
  voice.say(`${jobInWords(found)} ${hash}: ${wasDone ? 'was done' : `done in ${longDuration(seconds)}`}.`);
  if (flags.json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
}

/** The command `hypergrad job`. */
export function jobCommand(): Command {
  return new Command('job')
    .description('run one job of a sweep, wherever its folder can be reached')
    .argument('<job>', "the job's name or its beginning, or what it does where the sweep has one such job")
    .requiredOption('--sweep <folder>', "the sweep's folder")
    .option('--json', 'print what became of it as JSON')
    .addHelpText(
      'after',
      note(
        'A job is named by the hash of what it reads; `hypergrad plan --json` lists all. What it does is written as teacher, expert-007 or evaluation-student-000. The jobs that it reads must be done. Where another worker has it, this one waits for its result, and takes over when it shows no life any more.',
      ),
    )
    .action(job);
}

/** The hidden command by which a pool's processes are started. */
export function workCommand(): Command {
  return new Command('work')
    .argument('<sweep>', "the sweep's folder")
    .action((sweep: string, flags: WorkerFlags) => serveJobs(sweep, flags));
}
