/** What a run's folder holds of each stage, before anything runs: all that a plan is made from, as plain data. */
import { peekCheckpoint } from '../checkpoints.js';
import type { Config } from '../config/schema.js';
import { partName } from '../parts.js';
import { type Stage, stagesOf } from '../stageList.js';
import type { StageRecord } from '../store/manifest.js';
import type { FolderView } from '../store/runFolder.js';

/** A file that is not as its stage left it. */
export interface Flaw {
  readonly file: string;
  readonly state: 'changed' | 'missing';
}

/** What is there of one stage. */
export interface StageState {
  /** What the manifest says of it; absent where it was not finished. */
  readonly record?: StageRecord;
  readonly flaws: readonly Flaw[];
  /** Its parts that were finished and are unchanged: the hash of what each read. */
  readonly parts: Readonly<Record<string, string>>;
  /** Its checkpoint: the hash of what it read, and how many steps are done. */
  readonly checkpoint: { readonly inputs: string; readonly done: number } | null;
}

export type FolderState = ReadonlyMap<Stage['name'], StageState>;

async function flawsOf(folder: FolderView, { artefacts }: StageRecord): Promise<Flaw[]> {
  const flaws: Flaw[] = [];
  for (const [file, expected] of Object.entries(artefacts)) {
    const found = await folder.hashOf(file);
    if (found !== expected) flaws.push({ file, state: found === null ? 'missing' : 'changed' });
  }
  return flaws;
}

async function observeStage(folder: FolderView, stage: Stage, config: Config): Promise<StageState> {
  const record = folder.recordOf(stage.name);
  const parts: Record<string, string> = {};
  for (const part of stage.parts?.(config) ?? []) {
    const known = folder.recordOf(partName(stage.name, part));
    if (known !== undefined && (await flawsOf(folder, known)).length === 0) parts[part] = known.inputs;
  }
  return {
    ...(record === undefined ? {} : { record }),
    flaws: record === undefined ? [] : await flawsOf(folder, record),
    parts,
    checkpoint: await peekCheckpoint(folder, stage.name),
  };
}

/** Looks at every stage of a configuration. Reads all artefacts. Throws `StoreError` where one cannot be read. */
export async function observe(folder: FolderView, config: Config): Promise<FolderState> {
  const found = new Map<Stage['name'], StageState>();
  for (const stage of stagesOf(config)) found.set(stage.name, await observeStage(folder, stage, config));
  return found;
}
