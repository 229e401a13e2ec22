/** A study over a folder like a run's: the stages that it reads, its own measurement as a stage, and a page. */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { requirePagePackages } from '../optionalImports.js';
import type { StageName, StudyName } from '../progress.js';
import { runDeviceOf } from '../report/runDevice.js';
import type { RunDevice } from '../report/types.js';
import { deviceName } from '../report/wording.js';
import { runStage } from '../runStage.js';
import { openSession, type Session, type SessionOptions } from '../session.js';
import { inputsOf, nameOfInputs } from '../stageInputs.js';
import { type Stage, stagesOf } from '../stageList.js';
import type { StageContext } from '../stages/context.js';
import { STUDY_FILE } from '../store/fileNames.js';
import { requireVersion, versionOf } from '../store/formatVersion.js';
import type { RunFolder } from '../store/runFolder.js';
import { parseJson } from '../store/strictJson.js';
import { type StudyPage, writePage } from './page.js';

/** What a study is made from. */
export interface StudyOptions
  extends Pick<
    SessionOptions,
    'config' | 'dataset' | 'device' | 'progress' | 'signal' | 'checkpointSeconds'
  > {
  /** Where the study is left. */
  readonly folder: RunFolder;
  /** A run's folder whose artefacts are read; without one, the stages that are needed run in the study's own. */
  readonly source?: RunFolder;
  /** The command that repeats the study, for its page. */
  readonly command: string;
}

/** One kind of study. */
export interface Study<Settings, Found> {
  readonly name: StudyName;
  /** Stages whose artefacts it reads. */
  readonly after: readonly Exclude<StageName, StudyName | 'report'>[];
  /** What of the configuration it reads. */
  readonly reads: (config: Config) => unknown;
  readonly steps: (settings: Settings, config: Config, dataset: Dataset) => number;
  readonly unit: string;
  /** Measures; the context's folder is the one that holds the artefacts. But for seconds, equal arguments give equal bits. */
  readonly measure: (context: StageContext, settings: Settings) => Promise<Found>;
  /** The findings of one measurement in words, tables and figures. */
  readonly present: (
    found: Found,
    settings: Settings,
    config: Config,
  ) => Pick<StudyPage, 'title' | 'findings' | 'tables' | 'figures'>;
}

/** study.json: all that was measured. Of it, only the seconds of short distillations differ between repetitions. */
export interface StudyRecord<Settings, Found> {
  readonly version: typeof VERSION;
  readonly study: StudyName;
  readonly device: RunDevice;
  readonly dataset: string;
  readonly seed: number;
  readonly settings: Settings;
  readonly found: Found;
}

const VERSION = 1;
const recordSchema = z.looseObject({ version: z.literal(VERSION), study: z.string() });

/**
 * Runs what is not done yet, and writes the page.
 *
 * @throws StoreError when `source` lacks a finished stage of this configuration and data; MissingPackageError before anything
 * runs.
 */
export async function runStudy<Settings, Found>(
  study: Study<Settings, Found>,
  settings: Settings,
  { source, command, ...options }: StudyOptions,
): Promise<{ readonly record: StudyRecord<Settings, Found>; readonly page: StudyPage }> {
  const { config, dataset, device, folder } = options;
  await requirePagePackages();
  const session = await openSession(options);
  const needed = stagesOf(config).filter(({ name }) => (study.after as readonly string[]).includes(name));
  if (source === undefined) for (const stage of needed) await runStage(stage, session);
  else for (const stage of needed) await requireDone(stage, session, source);
  const from = source ?? folder;

  const described = runDeviceOf(device);
  const stage: Stage = {
    name: study.name,
    reads: (read) => ({
      settings,
      config: study.reads(read),
      artefacts: needed.map(({ name }) => from.artefactHash(name)),
    }),
    after: [],
    steps: () => study.steps(settings, config, dataset),
    unit: study.unit,
    beginsAnew: true,
    async run(context) {
      const record: StudyRecord<Settings, Found> = {
        version: VERSION,
        study: study.name,
        device: described,
        dataset: dataset.name,
        seed: config.seed,
        settings,
        found: await study.measure({ ...context, folder: from }, settings),
      };
      await folder.writeText(STUDY_FILE, `${JSON.stringify(record, null, 2)}\n`);
      return [STUDY_FILE];
    },
  };
  await runStage(stage, session);
  const record = await readRecord<Settings, Found>(folder);
  const page: StudyPage = {
    ...study.present(record.found, settings, config),
    device: deviceName(record.device),
    dataset: `${dataset.name}, ${dataset.train.count} images`,
    command,
  };
  await writePage(folder, page);
  return { record, page };
}

async function requireDone(stage: Stage, session: Session, source: RunFolder): Promise<void> {
  // The stages before it were checked first, so that their hashes are there.
  if (await source.stageIsDone(stage.name, nameOfInputs(inputsOf(stage, { ...session, folder: source })))) {
    session.progress.skipped(stage.name);
    return;
  }
  throw new StoreError(
    `The run folder ${source.path} holds no finished stage ${stage.name} of this configuration, data and device. ` +
      'Run it first (hypergrad run), or study without --run.',
  );
}

async function readRecord<Settings, Found>(folder: RunFolder): Promise<StudyRecord<Settings, Found>> {
  const text = new TextDecoder().decode(await folder.readBytes(STUDY_FILE));
  let parsed: unknown;
  try {
    const json = parseJson(text);
    requireVersion(folder.pathOf(STUDY_FILE), versionOf(json), VERSION);
    parsed = recordSchema.parse(json);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${folder.pathOf(STUDY_FILE)} is damaged. Delete it and give the command again.`, {
      cause,
    });
  }
  // Its hash stands in the manifest beside the inputs that it was measured from.
  return parsed as StudyRecord<Settings, Found>;
}
