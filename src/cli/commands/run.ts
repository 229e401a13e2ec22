import { join } from 'node:path';
import { Command } from 'commander';
import type { Profile } from '../../autograd/profile/profile.js';
import { requireFit } from '../../pipeline/config/rules.js';
import { type Dataset, loadDataset } from '../../pipeline/data/dataset.js';
import { requirePagePackages } from '../../pipeline/optionalImports.js';
import { requireStages } from '../../pipeline/plan/requireStages.js';
import { describePlan } from '../../pipeline/plan/words.js';
import { accuracyLines, evaluationLines, plainText } from '../../pipeline/report/text.js';
import type { RunResult } from '../../pipeline/report/types.js';
import { seedCount, significant } from '../../pipeline/report/wording.js';
import { runPipeline } from '../../pipeline/run.js';
import { quote } from '../../pipeline/shellWord.js';
import { readGivenTargets } from '../../pipeline/stages/givenTargets.js';
import { REPORT } from '../../pipeline/store/fileNames.js';
import { RunFolder } from '../../pipeline/store/runFolder.js';
import {
  askedConfig,
  askedName,
  type ConfigFlags,
  commandLine,
  type DeviceFlags,
  deviceOf,
  withConfigOptions,
} from '../asked.js';
import { printEstimate } from '../dryRun.js';
import { note } from '../help.js';
import { listenForInterruption } from '../interruption.js';
import { collect } from '../optionValues.js';
import { requireTraceFile, writeProfiles } from '../profileFiles.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';
import { watchedProgress } from '../watchedProgress.js';

/** What the user typed after `hypergrad run`, the file aside. */
export interface RunFlags extends ConfigFlags, DeviceFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Stages that run though they are done. */
  readonly force?: readonly string[];
  /** Only say what the run would take. */
  readonly dryRun?: boolean;
  /** The trace's file; true where it goes into the run's folder. */
  readonly profile?: string | true;
}

/** The command that gives the same results again. Where they are put (`--out`) is no part of that. */
export const commandOf = (file: string | undefined, flags: RunFlags): string =>
  commandLine('run', file, flags);

/**
 * A result in plain text: accuracies by encoder and share of labels (equation (3) without any), for each architecture, and the
 * trajectory loss.
 */
export function describeResult(result: RunResult): string {
  const { rows, trajectoryLoss, transfer } = result;
  const probes =
    rows.length > 0
      ? [
          `Test accuracy of a linear probe in %, mean ± standard deviation ${seedCount(rows)}:`,
          ...accuracyLines(rows),
          ...transfer.flatMap((other) => [
            `The same for another architecture: ${other.student}`,
            ...accuracyLines(other.rows),
          ]),
        ]
      : evaluationLines(result);
  return plainText([
    ...probes,
    `Trajectory loss ${significant(trajectoryLoss.first)} → ${significant(trajectoryLoss.last)} (means over the first and the last iterations)`,
  ]);
}

async function run(file: string | undefined, flags: RunFlags): Promise<void> {
  const config = askedConfig(file, flags);
  const force = requireStages(flags.force ?? [], config);
  const traceFile = typeof flags.profile === 'string' ? flags.profile : undefined;
  if (traceFile !== undefined) await requireTraceFile(traceFile);
  if (!flags.dryRun) await requirePagePackages();
  const path = flags.out ?? join('runs', askedName(file, flags));
  const voice = voiceOf(flags);
  const { say } = voice;

  const wanted = deviceOf(flags);
  const { device, description } = await openTunedDevice(wanted);
  let loaded: Dataset | undefined;
  try {
    voice.remark(description);
    // Before the folder: a run that cannot begin leaves nothing there.
    const dataset = await loadDataset(config.data, config.seed);
    loaded = dataset;
    requireFit(config, dataset);
    if (config.targets.from !== null) await readGivenTargets(config, dataset);
    if (flags.dryRun) {
      const isJson = flags.json ?? false;
      await printEstimate(device, config, dataset, { folder: path, force, isJson, voice });
      return;
    }
    const folder = await RunFolder.open(path);
    const goOn = `${commandOf(file, flags)} --out ${quote(path)}`;
    const progress = watchedProgress(flags, path, { command: goOn, image: dataset.image });
    const profiles: Record<string, Profile> = {};
    const interruption = listenForInterruption((text) => process.stderr.write(`${text}\n`));
    try {
      const { signal } = interruption;
      const result = await outliveDevice(device, wanted, { folder, progress, signal }, (device, progress) =>
        runPipeline({
          config,
          dataset,
          folder,
          device,
          command: commandOf(file, flags),
          progress,
          force,
          planned: (plan) => voice.remark(describePlan(plan).join('\n')),
          signal,
          ...(flags.profile === undefined
            ? {}
            : {
                profiled: (stage, profile) => {
                  profiles[stage] = profile;
                },
              }),
        }),
      ).catch(progress.failed);
      await progress.succeeded();
      progress.close();
      say(`\n${describeResult(result)}\nReport: ${folder.pathOf(REPORT)}`);
      if (flags.profile !== undefined) say(`\n${await writeProfiles(folder, profiles, traceFile)}`);
      if (flags.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    } finally {
      interruption.release();
      progress.close();
      await folder.close();
    }
  } finally {
    loaded?.close();
    device.close();
  }
}

/** The command `hypergrad run`. */
export function runCommand(): Command {
  return withConfigOptions(new Command('run'))
    .description('distil a dataset, evaluate it against its baselines and write a report')
    .option('--out <folder>', "the run's folder; default: runs/ and the file's or preset's name")
    .option('--force <stage>', 'run a stage anew though it is done; may be given again', collect)
    .option(
      '--profile [trace]',
      'measure where the time of each stage goes: tables on the terminal and in profile.json, and a trace for chrome://tracing or Perfetto in trace.json, or in the .json file named',
    )
    .option(
      '--dry-run',
      'only say which stages would run and why, and estimate, on this device, how long a whole run takes and what memory and disk it needs; write nothing to its folder',
    )
    .option('--json', 'print the result, or the estimate, as JSON on stdout, everything else on stderr')
    .addHelpText(
      'after',
      note(
        'A run that was ended, by Ctrl-C or otherwise, goes on where it was last kept, at most a minute before: give the same command again. Stages that are done and whose inputs have not changed are skipped; before it begins, a run says which run, and why.',
      ),
    )
    .action(run);
}
