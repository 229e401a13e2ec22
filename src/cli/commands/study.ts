/** The commands `hypergrad study …`: what is measured beside a run, as table, figure and JSON. */
import { basename, extname, join } from 'node:path';
import { Command } from 'commander';
import { type Align, textTable } from '../../autograd/textTable.js';
import { ConfigError } from '../../errors.js';
import type { DeviceChoice } from '../../gpu/node/openDevice.js';
import { resolveConfig } from '../../pipeline/config/resolve.js';
import { requireFit } from '../../pipeline/config/rules.js';
import type { Config } from '../../pipeline/config/schema.js';
import { loadDataset } from '../../pipeline/data/dataset.js';
import { requirePagePackages } from '../../pipeline/optionalImports.js';
import type { StudyName } from '../../pipeline/progress.js';
import { quote } from '../../pipeline/shellWord.js';
import { RunFolder } from '../../pipeline/store/runFolder.js';
import { checkHorizon, defaultHorizon, horizonStudy } from '../../pipeline/studies/horizonStudy.js';
import type { StudyPage, StudyTable } from '../../pipeline/studies/page.js';
import { runStudy, type Study } from '../../pipeline/studies/study.js';
import { checkVariance, defaultVariance, varianceStudy } from '../../pipeline/studies/varianceStudy.js';
import { stoppable } from '../interruption.js';
import { collect } from '../repeatable.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';
import { type WatchedProgress, watchedProgress } from '../watchedProgress.js';
import { DEFAULT_PRESET, parseSeed } from './run.js';

interface SharedFlags {
  readonly preset?: string;
  readonly data?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly run?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly device?: DeviceChoice;
}

const wholeNumber =
  (option: string) =>
  (text: string): number => {
    if (!/^\d{1,9}$/.test(text)) {
      throw new ConfigError(`${option} ${JSON.stringify(text)} must be a whole number, 0 or more.`);
    }
    return Number(text);
  };

const wholeNumbers =
  (option: string) =>
  (text: string): number[] =>
    text.split(',').map(wholeNumber(option));

/** The configuration: that of a run's folder where one is named, with the user's values over it. */
function configOf(file: string | undefined, flags: SharedFlags): { config: Config; name: string } {
  const { run, preset: named, data, sets = [] } = { ...flags, sets: flags.set };
  if (run !== undefined && (file !== undefined || named !== undefined)) {
    throw new ConfigError(
      `--run ${run} brings its own configuration; leave out ${file === undefined ? '--preset' : file}.`,
    );
  }
  const path = run === undefined ? file : join(run, 'config.yaml');
  const preset = named ?? (path === undefined ? DEFAULT_PRESET : undefined);
  const config = resolveConfig({
    preset,
    file: path,
    sets,
    seed: flags.seed === undefined ? undefined : parseSeed(flags.seed),
    dataFolder: data,
  });
  const name =
    run === undefined ? (file === undefined ? preset! : basename(file, extname(file))) : basename(run);
  return { config, name };
}

/** The command that repeats a study, but for where it is left. */
function commandOf(
  study: StudyName,
  file: string | undefined,
  flags: SharedFlags,
  own: readonly string[],
): string {
  const { preset, run, data, seed, device } = flags;
  const words = ['hypergrad', 'study', study, ...(file === undefined ? [] : [file])];
  const usesDefault = file === undefined && run === undefined && preset === undefined;
  for (const [option, value] of [
    ['--preset', usesDefault ? DEFAULT_PRESET : preset],
    ['--run', run],
    ['--data', data],
    ['--seed', seed],
    ['--device', device],
  ] as const) {
    if (value !== undefined) words.push(option, value);
  }
  for (const setting of flags.set ?? []) words.push('--set', setting);
  return [...words, ...own].map(quote).join(' ');
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
  const wanted = flags.device === undefined ? {} : { choice: flags.device };
  const { device, description } = await openTunedDevice(wanted);
  const opened: RunFolder[] = [];
  let progress: WatchedProgress | undefined;
  try {
    remark(description);
    const dataset = await loadDataset(config.data, config.seed);
    requireFit(config, dataset);
    check(config, dataset.train.count);
    const open = async (at: string): Promise<RunFolder> => {
      const folder = await RunFolder.open(at);
      opened.push(folder);
      return folder;
    };
    const source = flags.run === undefined ? undefined : await open(flags.run);
    const folder = await open(path);
    const command = commandOf(kind.name, file, flags, options);
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
    for (const folder of opened) await folder.close();
    device.close();
  }
}

/** A study's command with the options that all have. */
function studyBase(name: StudyName, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('[config]', `configuration file in YAML or JSON; without one, the preset ${DEFAULT_PRESET}`)
    .option('--preset <name>', 'start from a preset')
    .option('--run <folder>', 'a finished run, whose configuration and artefacts are used')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--out <folder>', "the study's folder; default: in runs/")
    .option('--seed <number>', 'seed of every random stream')
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect)
    .option('--json', 'print all numbers as JSON on stdout, everything else on stderr');
}

type Setting = number | readonly number[];

/** The options that were not left at their default, as words of a command. */
const changedOptions = (
  options: readonly (readonly [name: string, value: Setting, usual: Setting])[],
): string[] =>
  options.flatMap(([name, value, usual]) => (String(value) === String(usual) ? [] : [name, String(value)]));

interface VarianceFlags extends SharedFlags {
  readonly batches: number;
  readonly batchSizes: readonly number[];
  readonly trajectories: number;
  readonly epochs: number;
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
      wholeNumber('--batches'),
      batches,
    )
    .option('--batch-sizes <list>', 'their sizes', wholeNumbers('--batch-sizes'), batchSizes)
    .option(
      '--trajectories <count>',
      'trainings that are compared',
      wholeNumber('--trajectories'),
      trajectories,
    )
    .option('--epochs <count>', 'length of each training', wholeNumber('--epochs'), epochs)
    .action(async (file: string | undefined, flags: VarianceFlags) => {
      const settings = {
        batches: flags.batches,
        batchSizes: flags.batchSizes,
        trajectories: flags.trajectories,
        epochs: flags.epochs,
      };
      await study(varianceStudy, file, flags, {
        settings,
        options: changedOptions([
          ['--batches', settings.batches, batches],
          ['--batch-sizes', settings.batchSizes, batchSizes],
          ['--trajectories', settings.trajectories, trajectories],
          ['--epochs', settings.epochs, epochs],
        ]),
        check: (_, count) => checkVariance(settings, count),
      });
    });
}

interface HorizonFlags extends SharedFlags {
  readonly steps: readonly number[];
  readonly expertEpochs: readonly number[];
  readonly draws: number;
  readonly iterations: number;
}

function horizonCommand(): Command {
  const { steps, expertEpochs, draws, iterations } = defaultHorizon;
  return studyBase(
    'horizon',
    'how inner steps, expert epochs and truncation change the gradient through training, and where it leads',
  )
    .option('--steps <list>', 'numbers of inner steps N', wholeNumbers('--steps'), steps)
    .option(
      '--expert-epochs <list>',
      'numbers of expert epochs M',
      wholeNumbers('--expert-epochs'),
      expertEpochs,
    )
    .option('--draws <count>', 'starts that gradients are averaged over', wholeNumber('--draws'), draws)
    .option(
      '--iterations <count>',
      'length of each short distillation',
      wholeNumber('--iterations'),
      iterations,
    )
    .action(async (file: string | undefined, flags: HorizonFlags) => {
      const settings = {
        steps: flags.steps,
        expertEpochs: flags.expertEpochs,
        draws: flags.draws,
        iterations: flags.iterations,
      };
      await study(horizonStudy, file, flags, {
        settings,
        options: changedOptions([
          ['--steps', settings.steps, steps],
          ['--expert-epochs', settings.expertEpochs, expertEpochs],
          ['--draws', settings.draws, draws],
          ['--iterations', settings.iterations, iterations],
        ]),
        check: (config) => checkHorizon(settings, config),
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
