/** What outlives a visit. */
import type { StartingSet } from '../../src/pipeline/stages/starts.js';
import type { DistilSettings } from '../settings.js';
import type { Kept } from './distillation.js';
import type { Trained } from './prepare.js';

/** Where a page that is left keeps its things. */
export interface Keeper {
  load<Value>(key: string): Promise<Value | undefined>;
  save(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
}

/** What is kept of a distillation between visits. */
export interface KeptWork {
  readonly start: StartingSet;
  readonly kept: Kept;
}

/** What a seed decided. */
export interface SeedWork {
  readonly seed: number;
  readonly trained: Trained;
}

/** So many of a kind are kept, the latest. */
const MOST_KEPT = 8;

/** All that decides the bits of a distillation: everything but the probe's seeds, and the set and the device that it is on. */
export const keyOf = (
  { seeds: _, ...settings }: DistilSettings,
  set: string | null,
  device: string,
): string => JSON.stringify([settings, set, device]);

const placeOf = (kind: string, key: string): string => `${kind} ${key}`;

export async function loadOf<Value>(keeper: Keeper, kind: string, key: string): Promise<Value | undefined> {
  return await keeper.load<Value>(placeOf(kind, key));
}

/** Keeps one of a kind; of those that are kept longest, no more than there is room for. */
export async function keepOf(keeper: Keeper, kind: string, key: string, value: unknown): Promise<void> {
  await keeper.save(placeOf(kind, key), value);
  const known = (await keeper.load<readonly string[]>(kind)) ?? [];
  if (known.at(-1) === key) return;
  const order = [...known.filter((each) => each !== key), key];
  await keeper.save(kind, order.slice(-MOST_KEPT));
  for (const old of order.slice(0, -MOST_KEPT)) await keeper.remove(placeOf(kind, old));
}
