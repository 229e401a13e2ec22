/** What has changed between what a stage read the last time and what it reads now. */
import { z } from 'zod';
import type { StageInputs } from '../stageInputs.js';
import type { Stage } from '../stageList.js';
import { type Plain, plainCopy, type StageRecord } from '../store/manifest.js';

/** One thing that a stage reads, and that is not what it was. Values are JSON; absent ones were or are not there. */
export type Change =
  | { readonly what: 'setting'; readonly setting: string; readonly before?: Plain; readonly now?: Plain }
  | { readonly what: 'seed'; readonly before: number; readonly now: number }
  | { readonly what: 'data' | 'tuning' | 'given' | 'version' }
  /** What a stage before it left. */
  | { readonly what: 'artefacts'; readonly stage: string };

/** What a manifest should hold; it may be a stranger's. */
const readsSchema = z.object({
  version: z.number(),
  seed: z.number(),
  data: z.string(),
  tuning: z.string().optional(),
  given: z.string().optional(),
  config: z.json(),
  artefacts: z.record(z.string(), z.string()),
});

/** Values by their path, such as `pixels.learningRate`; lists are values. */
function leavesOf(value: Plain, path = ''): Map<string, Plain> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([name, field]) => [
      ...leavesOf(field, path === '' ? name : `${path}.${name}`),
    ]),
  );
}

/** What every stage's slice may hold under a name of its own. */
const SHARED = { models: '' } as const;

/** What the configuration calls a field of a stage's slice. */
export function settingOf({ settings = {} }: Pick<Stage, 'settings'>, path: string): string {
  const names: Readonly<Record<string, string>> = { ...SHARED, ...settings };
  const parts = path.split('.');
  for (let length = parts.length; length >= 0; length--) {
    const known = names[parts.slice(0, length).join('.')];
    if (known !== undefined) return [known, ...parts.slice(length)].filter((part) => part !== '').join('.');
  }
  return path;
}

/** The settings of a stage's slice by the names that the configuration has for them. */
export const settingsOf = (stage: Pick<Stage, 'settings'>, slice: Plain): Map<string, Plain> =>
  new Map([...leavesOf(slice)].map(([path, value]) => [settingOf(stage, path), value]));

function settingChanges(stage: Pick<Stage, 'settings'>, old: Plain, young: Plain): Change[] {
  const [before, now] = [settingsOf(stage, old), settingsOf(stage, young)];
  const names = new Set([...now.keys(), ...before.keys()]);
  return [...names].flatMap((setting): Change[] => {
    const [was, is] = [before.get(setting), now.get(setting)];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [
      {
        what: 'setting',
        setting,
        ...(was === undefined ? {} : { before: was }),
        ...(is === undefined ? {} : { now: is }),
      },
    ];
  });
}

/**
 * What a stage reads now that it did not read when it was recorded.
 *
 * @param known the stages before it whose artefacts will stay as they are
 * @returns null where the record does not say what was read
 */
export function changesOf(
  stage: Pick<Stage, 'settings'>,
  { reads }: StageRecord,
  inputs: StageInputs,
  known: ReadonlySet<string>,
): Change[] | null {
  const parsed = readsSchema.safeParse(reads);
  if (!parsed.success) return null;
  const before = parsed.data;
  const now = readsSchema.parse(plainCopy({ ...inputs }));
  const plain = (['data', 'tuning', 'given', 'version'] as const).filter(
    (what) => before[what] !== now[what],
  );
  const stages = Object.keys(now.artefacts).filter((name) => known.has(name));
  return [
    ...settingChanges(stage, before.config, now.config),
    ...(before.seed === now.seed ? [] : [{ what: 'seed' as const, before: before.seed, now: now.seed }]),
    ...plain.map((what) => ({ what })),
    ...stages
      .filter((name) => before.artefacts[name] !== now.artefacts[name])
      .map((name) => ({ what: 'artefacts' as const, stage: name })),
  ];
}
