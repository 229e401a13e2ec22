/** Which stages of a folder are done, by its manifest and its configuration. */
import type { Config } from '../config/schema.js';
import { hashedInputs, inputsOf, type StageInputs } from '../stageInputs.js';
import { type Stage, stagesOf } from '../stageList.js';
import { hashInputs, type StageRecord } from '../store/manifest.js';
import { type Finding, note, RUN_AGAIN } from './finding.js';

export type Manifest = ReadonlyMap<string, StageRecord>;

/**
 * `done`: for the present configuration, as far as can be told without the data. `other`: for another one; it runs again.
 * `unfinished`: it has not run to its end.
 */
export type StageState = 'done' | 'other' | 'unfinished';

export interface CheckedStage {
  readonly stage: string;
  readonly state: StageState;
  /** Files that the manifest says it made. */
  readonly files: number;
}

/** What a stage reads now, where data, tuning and given targets are as an earlier record says; null without one. */
export function presentInputs(
  stage: Pick<Stage, 'reads' | 'after'>,
  manifest: Manifest,
  config: Config,
): StageInputs | null {
  const known = [...manifest.values()].find(({ reads }) => reads !== undefined)?.reads;
  if (known === undefined) return null;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  try {
    return inputsOf(stage, {
      config,
      data: text(known.data) ?? '',
      tuning: text(known.tuning),
      given: text(known.given),
      folder: { artefactHash: (name) => hashInputs(manifest.get(name)!.artefacts) },
    });
  } catch {
    // A stage before it is not finished.
    return null;
  }
}

function stateOf(stage: Stage, manifest: Manifest, config: Config): StageState {
  const record = manifest.get(stage.name);
  if (record === undefined) return 'unfinished';
  // Manifests of version 1 do not say what was read.
  if (record.reads === undefined) return 'done';
  const inputs = presentInputs(stage, manifest, config);
  return inputs !== null && hashInputs(hashedInputs(inputs)) === record.inputs ? 'done' : 'other';
}

/** The stages of a run of this configuration, in order. */
export const stageStates = (manifest: Manifest, config: Config): CheckedStage[] =>
  stagesOf(config).map((stage) => ({
    stage: stage.name,
    state: stateOf(stage, manifest, config),
    files: Object.keys(manifest.get(stage.name)?.artefacts ?? {}).length,
  }));

/** What is to be told of stages that are not done. */
export function checkStages(states: readonly CheckedStage[]): Finding[] {
  const named = (state: StageState): string =>
    states
      .filter((each) => each.state === state)
      .map(({ stage }) => stage)
      .join(', ');
  const [unfinished, other] = [named('unfinished'), named('other')];
  return [
    ...(unfinished === ''
      ? []
      : [
          note(null, {
            what: `Not finished: ${unfinished}.`,
            means: 'The run was ended before, or is at work.',
            mends: `${RUN_AGAIN} It goes on where it was last kept.`,
          }),
        ]),
    ...(other === ''
      ? []
      : [
          note(null, {
            what: `Made from another configuration than config.yaml: ${other}.`,
            means: 'The configuration was changed, and the run has not come so far since.',
            mends: `${RUN_AGAIN} It makes these stages again.`,
          }),
        ]),
  ];
}
