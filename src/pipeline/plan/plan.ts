/** What a run will do with each stage, and why: plain data, made before anything runs. */
import type { Dataset } from '../data/dataset.js';
import { partInputs } from '../parts.js';
import { hashedInputs, type InputSource, inputsOf, nameOfInputs } from '../stageInputs.js';
import { type Stage, stagesOf } from '../stageList.js';
import { hashInputs } from '../store/manifest.js';
import { type Change, changesOf } from './changes.js';
import type { Flaw, FolderState } from './observe.js';

/** Why a stage runs, or may run, though it was finished before. */
export type Reason =
  | Change
  | { readonly what: 'forced' }
  /** It reads something else; its record does not say what it read. */
  | { readonly what: 'unknown' }
  | ({ readonly what: 'file' } & Flaw)
  /** A stage before it runs, and may leave other bytes. */
  | { readonly what: 'behind'; readonly stage: string };

/** What a run will do with one stage. */
export interface StagePlan {
  readonly stage: Stage['name'];
  /** `perhaps`: it runs if a stage before it leaves other bytes than it did. */
  readonly action: 'done' | 'run' | 'perhaps';
  /** Whether it was finished before. */
  readonly again: boolean;
  readonly reasons: readonly Reason[];
  /** Where it goes on, in its own unit; absent where it begins. */
  readonly resumes?: { readonly done: number; readonly total: number; readonly unit: string };
  /** How many of its parts are there; absent where it has none, or they cannot be known yet. */
  readonly parts?: { readonly done: number; readonly total: number };
}

/** What a run will do with each of its stages, in order. */
export type RunPlan = readonly StagePlan[];

/** What a plan is made for. */
export interface PlanSource extends Omit<InputSource, 'folder'> {
  readonly dataset: Dataset;
  readonly force?: ReadonlySet<string>;
}

const NOT_KNOWN = 'not known yet';

/** The plan of a run over a folder of that state. */
export function planRun(state: FolderState, { dataset, force, ...source }: PlanSource): RunPlan {
  const { config } = source;
  const plans: StagePlan[] = [];
  // What a stage left is known to those behind it where it will not run.
  const hashes = new Map<string, string>();
  for (const stage of stagesOf(config)) {
    const { record, flaws, parts: found, checkpoint } = state.get(stage.name)!;
    const unsure = plans.filter(({ stage: name, action }) => action !== 'done' && stage.after.includes(name));
    const folder = { artefactHash: (name: string) => hashes.get(name) ?? NOT_KNOWN };
    const inputs = inputsOf(stage, { ...source, folder });
    const isForced = force?.has(stage.name) ?? false;

    const behind = unsure.map((plan) => ({ what: 'behind' as const, stage: plan.stage }));
    const own: Reason[] = isForced ? [{ what: 'forced' }] : [];
    if (record !== undefined) {
      const changes = changesOf(stage, record, inputs, new Set(hashes.keys()));
      if (changes !== null) own.push(...changes);
      else if (behind.length === 0 && record.inputs !== nameOfInputs(inputs)) own.push({ what: 'unknown' });
      own.push(...flaws.map((flaw) => ({ what: 'file' as const, ...flaw })));
    }
    const runs = record === undefined || own.length > 0;
    const action = runs ? 'run' : behind.length > 0 ? 'perhaps' : 'done';
    if (action === 'done') hashes.set(stage.name, hashInputs(record!.artefacts));

    const partReads = hashedInputs(
      inputsOf({ ...stage, reads: stage.partReads ?? stage.reads }, { ...source, folder }),
    );
    const goesOn = runs && !isForced && unsure.length === 0;
    const total = stage.steps(config, dataset);
    const names = stage.parts?.(config);
    const done = names?.filter((part) => found[part] === partInputs(partReads, part)).length ?? 0;
    plans.push({
      stage: stage.name,
      action,
      again: record !== undefined,
      reasons: action === 'run' ? own : behind.slice(0, action === 'done' ? 0 : undefined),
      ...(goesOn && checkpoint?.inputs === hashInputs(partReads)
        ? { resumes: { done: checkpoint.done, total, unit: stage.unit } }
        : {}),
      ...(goesOn && names !== undefined && done > 0 ? { parts: { done, total: names.length } } : {}),
    });
  }
  return plans;
}
