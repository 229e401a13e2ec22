import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { ConfigError, DataError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { matchesSelfSupervised } from '../../pipeline/config/rules.js';
import { readRunConfig } from '../../pipeline/config/runConfig.js';
import type { Config } from '../../pipeline/config/schema.js';
import { type Dataset, loadDataset } from '../../pipeline/data/dataset.js';
import {
  evaluateSet,
  needsSource,
  readOwn,
  type SetEvaluation,
  type TeacherRun,
} from '../../pipeline/evaluate/evaluateSet.js';
import { decodeSet } from '../../pipeline/evaluate/givenSet.js';
import { forgetBeside, keepBeside, stopping } from '../../pipeline/evaluate/stoppable.js';
import { summariseTable, summariseTransfer } from '../../pipeline/evaluate/summary.js';
import { silentProgress } from '../../pipeline/progress.js';
import { evaluationLines, plainText } from '../../pipeline/report/text.js';
import { identify } from '../../pipeline/session.js';
import { files } from '../../pipeline/stages/context.js';
import { readSelfSupervised } from '../../pipeline/stages/evaluate.js';
import { fileLimits, readBounded, readingFault } from '../../pipeline/store/boundedFile.js';
import { exists } from '../../pipeline/store/exists.js';
import { CONFIG } from '../../pipeline/store/fileNames.js';
import { hashInputs, sha256 } from '../../pipeline/store/manifest.js';
import { meantRun } from '../../pipeline/store/meantRun.js';
import { openToRead } from '../../pipeline/store/readFolder.js';
import { requireWhole } from '../../pipeline/store/requireWhole.js';
import { RunFolder } from '../../pipeline/store/runFolder.js';
import { askedConfig, type ConfigFlags, type DeviceFlags, deviceOf } from '../asked.js';
import { note } from '../help.js';
import { stoppable } from '../interruption.js';
import { collect } from '../optionValues.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';
import { progressFor, voiceOf } from '../voice.js';

interface EvaluateFlags extends Omit<ConfigFlags, 'data'>, DeviceFlags {
  /** Folder of the data. */
  readonly on?: string;
  readonly teacher?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What is evaluated: the set of a run, or a file. */
interface Subject {
  /** As it was typed. */
  readonly name: string;
  /** The run's folder; null for a file. */
  readonly run: string | null;
  readonly file: string;
}

/** @throws ConfigError when there is no such file or folder. */
async function subjectOf(path: string): Promise<Subject> {
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new ConfigError(
      `${path} does not exist.${meantRun(path)} Name a run's folder, or a safetensors file that holds a set.`,
    );
  }
  return found.isDirectory()
    ? { name: path, run: path, file: join(path, files.synthetic) }
    : { name: path, run: null, file: path };
}

/** How to evaluate, and on what: as the user says, over the configuration of the run at hand. */
function configOf(run: string | null, flags: EvaluateFlags): Config {
  const base = flags.preset === undefined && run !== null ? join(run, CONFIG) : undefined;
  return askedConfig(flags.config ?? base, {
    ...flags,
    ...(flags.on === undefined ? {} : { data: flags.on }),
  });
}

const isSameData = (a: Config, b: Config): boolean =>
  a.seed === b.seed && JSON.stringify(a.data) === JSON.stringify(b.data);

/** The run whose teacher counts: that of the set, or the one that the user names. */
async function teacherOf(
  { run }: Subject,
  flags: EvaluateFlags,
  config: Config,
  load: (config: Config) => Promise<Dataset>,
): Promise<TeacherRun | null> {
  const folderName = run ?? flags.teacher;
  if (folderName === undefined) return null;
  const folder = openToRead(folderName);
  const made = await readRunConfig(folderName);
  const hasTeacher = await exists(folder.pathOf(files.teacher));
  const known = { config: made, folder, hasTeacher };
  if (run === null) return { ...known, own: null, selfSupervised: null };
  const wantsOwn = isSameData(made, config) || needsSource(config.evaluate.rows);
  const isWanted = matchesSelfSupervised(config);
  return {
    ...known,
    own: wantsOwn ? await readOwn(folder, await load(made)) : null,
    selfSupervised:
      isWanted && (await exists(folder.pathOf(files.selfSupervisedSynthetic)))
        ? await readSelfSupervised(folder)
        : null,
  };
}

/** An evaluation in plain text: a table for each architecture, and what is not in them. */
export function describeEvaluation({ evaluation, leftOut }: SetEvaluation): string {
  return plainText([
    ...evaluationLines(summariseTable(evaluation)),
    ...summariseTransfer(evaluation).flatMap((table) => ['', `${table.student}:`, ...evaluationLines(table)]),
    ...leftOut.map(({ row, reason }) => `Left out ${row}: ${reason}.`),
  ]);
}

/** What was evaluated on what, in one line. */
function describeSubject({ name }: Subject, { data: { source, folder } }: Config): string {
  return `The set of ${name} on ${source}${folder === null ? '' : ` (${folder})`}.`;
}

/** Writes the evaluation beside the run's own, under a name that its settings make. */
async function writeBeside(
  folder: RunFolder,
  config: Config,
  { evaluation }: SetEvaluation,
): Promise<string> {
  const { seed, data, student, evaluate } = config;
  const settings = { seed, data, student, evaluate };
  const name = `evaluation-${data.source}-${hashInputs(settings).slice(0, 8)}.json`;
  await folder.writeText(name, `${JSON.stringify({ ...evaluation, settings }, null, 2)}\n`);
  return folder.pathOf(name);
}

async function evaluateOn(
  device: Device,
  subject: Subject,
  config: Config,
  flags: EvaluateFlags,
  { folder, signal }: { readonly folder: RunFolder | null; readonly signal: AbortSignal },
): Promise<SetEvaluation> {
  const bytes = await readBounded(subject.file, fileLimits.data).catch((cause: unknown) => {
    throw new DataError(
      `${subject.file} ${readingFault(cause)}: finish the run first, or name a file that can be read.`,
      { cause },
    );
  });
  const set = decodeSet(bytes, subject.file);
  // The same data is loaded once, and known again as the same.
  const loaded: { readonly config: Config; readonly dataset: Dataset }[] = [];
  const load = async (wanted: Config): Promise<Dataset> => {
    const known = loaded.find((each) => isSameData(each.config, wanted));
    if (known !== undefined) return known.dataset;
    const dataset = await loadDataset(wanted.data, wanted.seed);
    loaded.push({ config: wanted, dataset });
    return dataset;
  };
  const progress = progressFor(flags);
  try {
    const dataset = await load(config);
    const teacher = await teacherOf(subject, flags, config, load);
    const start = performance.now();
    const { seed, data, student, evaluate, teacher: network } = config;
    const reads = {
      ...{ seed, data, student, evaluate, teacher: network, set: sha256(bytes) },
      ...(await identify({ config, dataset, device })),
    };
    const keeper = folder === null ? stopping(signal) : await keepBeside({ folder, reads, signal });
    const found = await evaluateSet({
      keeper,
      device,
      config,
      dataset,
      set,
      name: subject.name,
      teacher,
      started: (total) => progress.started('evaluate', total, 'encoders'),
      advance: (done) => progress.advanced('evaluate', done),
    });
    progress.finished('evaluate', (performance.now() - start) / 1000);
    return found;
  } finally {
    progress.close();
    for (const { dataset } of loaded) dataset.close();
  }
}

async function evaluate(path: string, flags: EvaluateFlags): Promise<void> {
  const subject = await subjectOf(path);
  if (subject.run !== null && flags.teacher !== undefined) {
    throw new ConfigError('--teacher is for sets from files: a run has a teacher of its own.');
  }
  for (const run of [subject.run, flags.teacher]) if (run != null) await readRunConfig(run);
  const config = configOf(subject.run ?? flags.teacher ?? null, flags);
  const folder = subject.run === null ? null : await RunFolder.open(subject.run);
  try {
    if (folder !== null) requireWhole(folder, 'distil');
    const wanted = deviceOf(flags);
    const { device, description } = await openTunedDevice(wanted);
    try {
      const { say, remark } = voiceOf(flags);
      remark(description);
      const found = await stoppable((signal) =>
        outliveDevice(device, wanted, { folder, progress: silentProgress, signal }, (device) =>
          evaluateOn(device, subject, config, flags, { folder, signal }),
        ),
      );
      say(`\n${describeSubject(subject, config)}\n${describeEvaluation(found)}`);
      if (folder !== null) {
        say(`Written: ${await writeBeside(folder, config, found)}`);
        await forgetBeside(folder);
      }
      if (flags.json) {
        const { evaluation, leftOut } = found;
        const summary = { ...summariseTable(evaluation), transfer: summariseTransfer(evaluation) };
        const result = {
          device: device.adapter.name,
          dataset: config.data.source,
          ...summary,
          leftOut,
          evaluation,
        };
        process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      }
    } finally {
      device.close();
    }
  } finally {
    await folder?.close();
  }
}

/** The command `hypergrad evaluate`. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description("evaluate a synthetic set: a run's, also on other data, or one made elsewhere")
    .argument('<set>', "a run's folder, or a safetensors file that holds a set")
    .option(
      '--on <folder>',
      'folder of the data to evaluate on; without it, the data that the configuration names',
    )
    .option('--teacher <folder>', 'folder of the run whose teacher makes the targets, for a set from a file')
    .option(
      '--preset <name>',
      'evaluate as a preset does; default: as the run did, whose set or teacher it is',
    )
    .option('--config <file>', 'evaluate as a configuration file says')
    .option('--seed <number>', 'seed of every random stream of the evaluation')
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect)
    .option('--json', 'print the result as JSON on stdout, everything else on stderr')
    .addHelpText(
      'after',
      note(`A file holds images [n, C, H, W], standardised, or in 0 … 1 with mean and deviation (JSON, one number a channel) in its metadata; targets [n, D], or else --teacher makes them; and innerStep [1], or else evaluate.learningRate takes its place.
Subsets and "all data" are taken from the images that a run's set was made from; probes see the data that --on names. A run gets the result as evaluation-*.json in its folder.`),
    )
    .action(evaluate);
}
