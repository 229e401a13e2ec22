/** The commands `hypergrad study …`: what is measured beside a run, as table, figure and JSON. */
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { type Align, textTable } from '../../autograd/textTable.js';
import { ConfigError } from '../../errors.js';
import { requireFit } from '../../pipeline/config/rules.js';
import type { Config } from '../../pipeline/config/schema.js';
import { loadDataset } from '../../pipeline/data/dataset.js';
import { requirePagePackages } from '../../pipeline/optionalImports.js';
import type { StudyName } from '../../pipeline/progress.js';
import { quote } from '../../pipeline/shellWord.js';
import { CONFIG } from '../../pipeline/store/fileNames.js';
import { RunFolder } from '../../pipeline/store/runFolder.js';
import type { HorizonSettings } from '../../pipeline/studies/horizon.js';
import { checkHorizon, defaultHorizon, horizonStudy } from '../../pipeline/studies/horizonStudy.js';
import type { StudyPage, StudyTable } from '../../pipeline/studies/page.js';
import { runStudy, type Study } from '../../pipeline/studies/study.js';
import type { VarianceSettings } from '../../pipeline/studies/variance.js';
import { checkVariance, defaultVariance, varianceStudy } from '../../pipeline/studies/varianceStudy.js';
import {
  askedConfig,
  askedName,
  type ConfigFlags,
  commandLine,
  type DeviceFlags,
  deviceOf,
  withConfigOptions,
} from '../asked.js';
import { stoppable } from '../interruption.js';
import { wholeNumber } from '../optionValues.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';
import { type WatchedProgress, watchedProgress } from '../watchedProgress.js';

interface SharedFlags extends ConfigFlags, DeviceFlags {
  readonly run?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const wholeNumbers = (option: string, least: number) => {
  const parse = wholeNumber(option, { least });
  return (text: string): number[] => text.split(',').map(parse);
};

/** The configuration: that of a run's folder where one is named, with the user's values over it. */
function configOf(file: string | undefined, flags: SharedFlags): { config: Config; name: string } {
  const { run, preset } = flags;
  if (run !== undefined && (file !== undefined || preset !== undefined)) {
    throw new ConfigError(
      `--run ${run} brings its own configuration; leave out ${file === undefined ? '--preset' : file}.`,
    );
  }
  return {
    config: askedConfig(run === undefined ? file : join(run, CONFIG), flags),
    name: run === undefined ? askedName(file, flags) : basename(resolve(run)),
  };
}

function tableText({ title, head, body, caption }: StudyTable): string {
  const isNumber = (cell: string): boolean => /^[\d–-]|^not /.test(cell);
  const aligns: Align[] = head.map((_, column) =>
    body.every((cells) => isNumber(cells[column]!)) ? 'right' : 'left',
  );
  return `${title}\n${textTable([head, ...body], aligns)}\n${caption}`;
}

/** A study in plain text. */
export function describeStudy({ tables, findings }: Pick<StudyPage, 'tables' | 'findings'>): string {
  return [...tables.map(tableText), findings.join('\n')].join('\n\n').replaceAll('\u00a0', ' ');
}

interface Asked<Settings> {
  readonly settings: Settings;
  /** The settings as options, for the command that repeats the study. */
  readonly options: readonly string[];
  /** @throws ConfigError */
  check(config: Config, count: number): void;
}

async function study<Settings, Found>(
  kind: Study<Settings, Found>,
  file: string | undefined,
  flags: SharedFlags,
  { settings, options, check }: Asked<Settings>,
): Promise<void> {
  const { config, name } = configOf(file, flags);
  const path = flags.out ?? join('runs', `${name}-${kind.name}`);
  await requirePagePackages();
  const { say, remark } = voiceOf(flags);
  const wanted = deviceOf(flags);
  const { device, description } = await openTunedDevice(wanted);
  const opened: { close(): void | Promise<void> }[] = [];
  let progress: WatchedProgress | undefined;
  try {
    remark(description);
    const dataset = await loadDataset(config.data, config.seed);
    opened.push(dataset);
    requireFit(config, dataset);
    check(config, dataset.train.count);
    const open = async (at: string): Promise<RunFolder> => {
      const folder = await RunFolder.open(at);
      opened.push(folder);
      return folder;
    };
    const source = flags.run === undefined ? undefined : await open(flags.run);
    const folder = await open(path);
    const command = [commandLine(`study ${kind.name}`, file, flags), ...options.map(quote)].join(' ');
    const watched = watchedProgress(flags, path, {
      command: `${command} --out ${quote(path)}`,
      image: dataset.image,
    });
    progress = watched;
    const { record, page } = await stoppable((signal) =>
      outliveDevice(device, wanted, { folder, progress: watched, signal }, (device, progress) =>
        runStudy(kind, settings, {
          config,
          dataset,
          device,
          folder,
          ...(source === undefined ? {} : { source }),
          command,
          progress,
          signal,
        }),
      ),
    ).catch(watched.failed);
    await watched.succeeded();
    watched.close();
    say(`\n${describeStudy(page)}\n\nPage: ${folder.pathOf('study.html')}`);
    if (flags.json) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  } finally {
    progress?.close();
    for (const each of opened) await each.close();
    device.close();
  }
}

/** A study's command with the options that all have. */
function studyBase(name: StudyName, description: string): Command {
  return withConfigOptions(new Command(name))
    .description(description)
    .option('--run <folder>', 'a finished run, whose configuration and artefacts are used')
    .option('--out <folder>', "the study's folder; default: in runs/")
    .option('--json', 'print all numbers as JSON on stdout, everything else on stderr');
}

type Setting = number | readonly number[];

/** A study's settings among the flags of its command, and as words of a command those that are not the usual ones. */
function settingsIn<Settings extends Readonly<Record<keyof Settings, Setting>>>(
  flags: Settings,
  usual: Settings,
): Pick<Asked<Settings>, 'settings' | 'options'> {
  const names = Object.keys(usual) as (keyof Settings & string)[];
  const optionOf = (name: string): string =>
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const settings = { ...usual };
  for (const name of names) settings[name] = flags[name];
  return {
    settings,
    options: names.flatMap((name) =>
      String(flags[name]) === String(usual[name]) ? [] : [optionOf(name), String(flags[name])],
    ),
  };
}

function varianceCommand(): Command {
  const { batches, batchSizes, trajectories, epochs } = defaultVariance;
  return studyBase(
    'variance',
    'the variance of gradients and of trajectories under the self-supervised loss against the distillation loss',
  )
    .option(
      '--batches <count>',
      'random batches whose gradients are compared',
      wholeNumber('--batches', { least: 3 }),
      batches,
    )
    .option('--batch-sizes <list>', 'their sizes', wholeNumbers('--batch-sizes', 2), batchSizes)
    .option(
      '--trajectories <count>',
      'trainings that are compared',
      wholeNumber('--trajectories', { least: 3 }),
      trajectories,
    )
    .option('--epochs <count>', 'length of each training', wholeNumber('--epochs', { least: 1 }), epochs)
    .action(async (file: string | undefined, flags: SharedFlags & VarianceSettings) => {
      const asked = settingsIn(flags, defaultVariance);
      await study(varianceStudy, file, flags, {
        ...asked,
        check: (_, count) => checkVariance(asked.settings, count),
      });
    });
}

function horizonCommand(): Command {
  const { steps, expertEpochs, draws, iterations } = defaultHorizon;
  return studyBase(
    'horizon',
    'how inner steps, expert epochs and truncation change the gradient through training, and where it leads',
  )
    .option('--steps <list>', 'numbers of inner steps N', wholeNumbers('--steps', 1), steps)
    .option(
      '--expert-epochs <list>',
      'numbers of expert epochs M',
      wholeNumbers('--expert-epochs', 1),
      expertEpochs,
    )
    .option(
      '--draws <count>',
      'starts that gradients are averaged over',
      wholeNumber('--draws', { least: 1 }),
      draws,
    )
    .option(
      '--iterations <count>',
      'length of each short distillation',
      wholeNumber('--iterations', { least: 1 }),
      iterations,
    )
    .action(async (file: string | undefined, flags: SharedFlags & HorizonSettings) => {
      const asked = settingsIn(flags, defaultHorizon);
      await study(horizonStudy, file, flags, {
        ...asked,
        check: (config) => checkHorizon(asked.settings, config),
      });
    });
}

/** The command `hypergrad study` with its studies. */
export function studyCommand(): Command {
  return new Command('study')
    .description('measure what the method rests on: variance, horizon and truncation')
    .addCommand(varianceCommand())
    .addCommand(horizonCommand());
}
