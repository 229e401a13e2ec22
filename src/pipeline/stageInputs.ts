/** What a stage reads, as plain data: the manifest keeps it, its hash says whether the stage is done, and two of them what changed. */
import type { Config } from './config/schema.js';
import { type Stage, stagesOf } from './stageList.js';
import { hashInputs } from './store/manifest.js';
import type { RunFolder } from './store/runFolder.js';

/** Changes when a stage's artefacts would no longer be the same from the same inputs. */
export const FORMAT_VERSION = 1;

/** All that a stage reads. */
export interface StageInputs {
  readonly version: number;
  readonly seed: number;
  /** SHA-256 of the images and labels. */
  readonly data: string;
  /** Name of the device's tuning; undefined without one. */
  readonly tuning: string | undefined;
  /** SHA-256 of the representations that `targets.from` names; undefined where a teacher is trained. */
  readonly given: string | undefined;
  /** The stage's slice of the configuration. */
  readonly config: unknown;
  /** One hash over the artefacts of each stage before it, by the stage's name, in the order of the stages. */
  readonly artefacts: Readonly<Record<string, string>>;
}

/** Where inputs are taken from. */
export interface InputSource extends Pick<StageInputs, 'data' | 'tuning' | 'given'> {
  readonly config: Config;
  readonly folder: Pick<RunFolder, 'artefactHash'>;
}

/** What a stage reads now. Throws `StoreError` where a stage before it is not finished. */
export function inputsOf(
  { reads, after }: Pick<Stage, 'reads' | 'after'>,
  { config, data, tuning, given, folder }: InputSource,
): StageInputs {
  const before = stagesOf(config).filter(({ name }) => after.includes(name));
  return {
    version: FORMAT_VERSION,
    seed: config.seed,
    data,
    tuning,
    given,
    config: reads(config),
    artefacts: Object.fromEntries(before.map(({ name }) => [name, folder.artefactHash(name)])),
  };
}

/** Inputs as they are hashed: in the form that manifests of version 1 used, so that their stages stay done. */
export const hashedInputs = ({ config, artefacts, ...others }: StageInputs): Record<string, unknown> => ({
  ...others,
  reads: config,
  artefacts: Object.values(artefacts),
});

/** The name of inputs: equal ones have the same. */
export const nameOfInputs = (inputs: StageInputs): string => hashInputs(hashedInputs(inputs));
