import { Command, Option } from 'commander';
import { identifyRuns } from '../../pipeline/sweep/dataIdentity.js';
import { costOf, estimateSweep, type SweepEstimate, totalsOf } from '../../pipeline/sweep/estimate.js';
import type { JobGraph } from '../../pipeline/sweep/graph.js';
import { graphOf } from '../../pipeline/sweep/jobs.js';
import type { PlannedRun } from '../../pipeline/sweep/members.js';
import { describeSweep, sweepGraphviz } from '../../pipeline/sweep/planText.js';
import { finishedJobs } from '../../pipeline/sweep/sweepFolder.js';
import { type ConfigFlags, type DeviceFlags, deviceOf } from '../asked.js';
import { note } from '../help.js';
import { collect } from '../optionValues.js';
import { readRuns, sweepFolderOf } from '../sweep/runs.js';
import { terminalText } from '../terminalText.js';
import { openTunedDevice } from '../tunedDevice.js';
import { type Voice, voiceOf } from '../voice.js';

interface PlanFlags extends ConfigFlags, DeviceFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly graph?: boolean;
  /** Commander's name for `--no-estimate`. */
  readonly estimate: boolean;
  readonly quiet?: boolean;
}

async function estimateOn(
  flags: DeviceFlags,
  runs: readonly PlannedRun[],
  voice: Voice,
): Promise<SweepEstimate> {
  const { device, description } = await openTunedDevice(deviceOf(flags));
  try {
    voice.remark(description);
    return await estimateSweep(device, runs, (what) => voice.step(`estimating ${what}`));
  } finally {
    device.close();
  }
}

/** The plan for programs: the graph, what is done of it, and what each of its jobs takes. */
function planJson(
  graph: JobGraph,
  finished: ReadonlySet<string>,
  estimate: SweepEstimate | undefined,
): unknown {
  const jobs = graph.jobs.map((job) => ({
    ...job,
    isDone: finished.has(job.hash),
    ...(estimate === undefined ? {} : { cost: costOf(estimate, job) }),
  }));
  const { members, version } = graph;
  if (estimate === undefined) return { version, jobs, members };
  const { device, standIns } = estimate;
  return { version, jobs, members, estimate: { device, standIns, ...totalsOf(graph, estimate, finished) } };
}

async function plan(path: string | undefined, flags: PlanFlags): Promise<void> {
  const runs = readRuns(path, flags);
  const voice = voiceOf({ ...flags, json: flags.json || flags.graph || false });
  const missing: string[] = [];
  const identify = await identifyRuns(runs, ({ message }) => missing.push(message));
  const graph = graphOf(runs, identify);
  const sweep = flags.out ?? sweepFolderOf(path, flags);
  const finished = await finishedJobs(sweep, graph);
  if (missing.length > 0) {
    const warning = `Warning: ${missing[0]} The jobs' names will be others when the data is there.\n`;
    process.stderr.write(terminalText(warning));
  }
  if (flags.graph) {
    process.stdout.write(sweepGraphviz(graph));
    return;
  }
  const estimate = flags.estimate ? await estimateOn(flags, runs, voice) : undefined;
  voice.say(describeSweep(graph, { finished, estimate }));
  if (flags.json) process.stdout.write(`${JSON.stringify(planJson(graph, finished, estimate), null, 1)}\n`);
}

/** The command `hypergrad plan`. */
export function planCommand(): Command {
  return new Command('plan')
    .description('show the jobs of a sweep or a run, which of them are shared or done, and what they take')
    .argument('[sweep]', "a sweep's file in YAML or JSON, or a single configuration's")
    .option('--preset <name>', 'start from a preset')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--out <folder>', 'folder in which done jobs are looked for; default: that of the sweep')
    .option('--seed <number>', "one seed in the place of the file's")
    .option('--set <path=value>', 'set one value for all runs; may be given again', collect)
    .option('--no-estimate', 'measure nothing: no device is opened')
    .addOption(new Option('--graph', "print the graph in Graphviz's language, for `dot -Tsvg`"))
    .addOption(new Option('--json', 'print all jobs and runs as JSON').conflicts('graph'))
    .addHelpText(
      'after',
      note(
        'Time, memory and disk are estimated as by `hypergrad run --dry-run`, once for each configuration that differs in more than its seed. Nothing is written.',
      ),
    )
    .action(plan);
}
