/** What outlives a visit. */
import type { StartingSet } from '../../src/pipeline/stages/starts.js';
import { usualSettings } from '../choices.js';
import { configOf, type DistilSettings } from '../settings.js';
import type { Kept } from './distillation.js';
import type { Material, Trained } from './prepare.js';

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

/** Of the shapes of what is kept; counted on where one of them changes. */
const FORMAT = 3;

const NAME_BYTES = 8;

/** A name for these bytes: the first digits of their SHA-256. */
export async function nameOf(bytes: BufferSource): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash.subarray(0, NAME_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Names all that the page itself brings to what is kept: its configuration, its teacher and its digits. */
export async function versionOf({ dataset: { train, test }, teacher }: Material): Promise<string> {
  const config = new TextEncoder().encode(JSON.stringify([FORMAT, configOf(usualSettings)]));
  const parts = [config, teacher.slice(), train.images.slice(), test.images.slice()];
  return (await Promise.all(parts.map(nameOf))).join('.');
}

/** What is kept of one name under a version: what was trained on a device, or a set that was brought. */
export const versionedKey = (version: string, name: string): string => JSON.stringify([version, name]);

/** All that decides the bits of a distillation: everything but the probe's seeds, and the set and the device that it is on. */
export const keyOf = (
  version: string,
  { seeds: _, ...settings }: DistilSettings,
  brought: string | null,
  device: string,
): string => JSON.stringify([version, settings, brought, device]);

const placeOf = (kind: string, key: string): string => `${kind} ${key}`;

export async function loadOf<Value>(keeper: Keeper, kind: string, key: string): Promise<Value | undefined> {
  return await keeper.load<Value>(placeOf(kind, key));
}

/** Keeps one of a kind, and drops the oldest beyond `MOST_KEPT`. */
export async function keepOf(keeper: Keeper, kind: string, key: string, value: unknown): Promise<void> {
  await keeper.save(placeOf(kind, key), value);
  const known = (await keeper.load<readonly string[]>(kind)) ?? [];
  if (known.at(-1) === key) return;
  const order = [...known.filter((each) => each !== key), key];
  await keeper.save(kind, order.slice(-MOST_KEPT));
  for (const old of order.slice(0, -MOST_KEPT)) await keeper.remove(placeOf(kind, old));
}
