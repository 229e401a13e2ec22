import { basename, extname, join } from 'node:path';
import { Command } from 'commander';
import type { Profile } from '../../autograd/profile/profile.js';
import { ConfigError } from '../../errors.js';
import type { DeviceChoice } from '../../gpu/node/openDevice.js';
import { resolveConfig } from '../../pipeline/config/resolve.js';
import { requireFit } from '../../pipeline/config/rules.js';
import { loadDataset } from '../../pipeline/data/dataset.js';
import { requirePagePackages } from '../../pipeline/optionalImports.js';
import { requireStages } from '../../pipeline/plan/force.js';
import { describePlan } from '../../pipeline/plan/words.js';
import { accuracyLines, plainText } from '../../pipeline/report/text.js';
import type { RunResult } from '../../pipeline/report/types.js';
import { heldOutSentence, seedCount, significant } from '../../pipeline/report/wording.js';
import { runPipeline } from '../../pipeline/run.js';
import { quote } from '../../pipeline/shellWord.js';
import { readGivenTargets } from '../../pipeline/stages/givenTargets.js';
import { RunFolder } from '../../pipeline/store/runFolder.js';
import { printEstimate } from '../dryRun.js';
import { note } from '../help.js';
import { listenForInterruption } from '../interruption.js';
import { requireTraceFile, writeProfiles } from '../profileFiles.js';
import { collect } from '../repeatable.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';
import { watchedProgress } from '../watchedProgress.js';

/** What is run when neither a file nor a preset is named. */
export const DEFAULT_PRESET = 'mnist-small';

/** What the user typed after `hypergrad run`, the file aside. */
export interface RunFlags {
  readonly preset?: string;
  readonly data?: string;
  readonly out?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly device?: DeviceChoice;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Stages that run though they are done. */
  readonly force?: readonly string[];
  /** Only say what the run would take. */
  readonly dryRun?: boolean;
  /** The trace's file; true where it goes into the run's folder. */
  readonly profile?: string | true;
}

/** A whole number from the command line; the schema knows the largest. Throws `ConfigError`. */
export function parseSeed(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new ConfigError(
      `--seed ${JSON.stringify(text)} must be a whole number, 0 or more, such as --seed 2.`,
    );
  }
  return Number(text);
}

/** The folder that a run gets where `--out` names none: called after its file, else after its preset. */
function defaultFolder(file: string | undefined, preset: string | undefined): string {
  const name = file === undefined ? (preset ?? DEFAULT_PRESET) : basename(file, extname(file));
  return join('runs', name);
}

/** A command and the options by which its values came to be, as a shell reads it back. */
export function commandLine(
  command: 'run' | 'config' | 'sweep',
  file: string | undefined,
  flags: Pick<RunFlags, 'preset' | 'data' | 'seed' | 'device' | 'set'>,
): string {
  const preset = flags.preset ?? (file === undefined ? DEFAULT_PRESET : undefined);
  const words = ['hypergrad', command];
  if (file !== undefined) words.push(file);
  for (const [option, value] of [
    ['--preset', preset],
    ['--data', flags.data],
    ['--seed', flags.seed],
    ['--device', flags.device],
  ] as const) {
    if (value !== undefined) words.push(option, value);
  }
  for (const setting of flags.set ?? []) words.push('--set', setting);
  return words.map(quote).join(' ');
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
      : [`The data has no labels: no linear probe. ${heldOutSentence(result) ?? ''}`];
  return plainText([
    ...probes,
    `Trajectory loss ${significant(trajectoryLoss.first)} → ${significant(trajectoryLoss.last)} (means over the first and the last iterations)`,
  ]);
}

async function run(file: string | undefined, flags: RunFlags): Promise<void> {
  const preset = flags.preset ?? (file === undefined ? DEFAULT_PRESET : undefined);
  const config = resolveConfig({
    preset,
    file,
    sets: flags.set ?? [],
    seed: flags.seed === undefined ? undefined : parseSeed(flags.seed),
    dataFolder: flags.data,
  });
  const force = requireStages(flags.force ?? [], config);
  const traceFile = typeof flags.profile === 'string' ? flags.profile : undefined;
  if (traceFile !== undefined) await requireTraceFile(traceFile);
  if (!flags.dryRun) await requirePagePackages();
  const path = flags.out ?? defaultFolder(file, flags.preset);
  const voice = voiceOf(flags);
  const { say } = voice;

  const wanted = flags.device === undefined ? {} : { choice: flags.device };
  const { device, description } = await openTunedDevice(wanted);
  try {
    voice.remark(description);
    // Before the folder: a run that cannot begin leaves nothing there.
    const dataset = await loadDataset(config.data, config.seed);
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
      say(`\n${describeResult(result)}\nReport: ${folder.pathOf('report.html')}`);
      if (flags.profile !== undefined) say(`\n${await writeProfiles(folder, profiles, traceFile)}`);
      if (flags.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    } finally {
      interruption.release();
      progress.close();
      dataset.close();
      await folder.close();
    }
  } finally {
    device.close();
  }
}

/** The command `hypergrad run`. */
export function runCommand(): Command {
  return new Command('run')
    .description('distil a dataset, evaluate it against its baselines and write a report')
    .argument('[config]', `configuration file in YAML or JSON; without one, the preset ${DEFAULT_PRESET}`)
    .option('--preset <name>', 'start from a preset')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--out <folder>', "the run's folder; default: runs/ and the file's or preset's name")
    .option('--seed <number>', 'seed of every random stream of the run')
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect)
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
