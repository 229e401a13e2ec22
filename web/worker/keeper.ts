/** What outlives a visit. */
import type { StartingSet } from '../../src/pipeline/stages/starts.js';
import type { DistilSettings } from '../settings.js';
import type { Kept } from './distillation.js';
import type { Trained } from './prepare.js';

/** Where a page that is left keeps its things. */
export interface Keeper {
  load<Value>(key: string): Promise<Value | undefined>;
  save(key: string, value: unknown): Promise<void>;
}

/** What is kept of a distillation between visits. */
export interface KeptWork {
  readonly settings: DistilSettings;
  readonly start: StartingSet;
  readonly kept: Kept;
}

/** What a seed decided. */
export interface SeedWork {
  readonly seed: number;
  readonly trained: Trained;
}

/** All that decides the bits of a distillation: everything but the probe's seeds. */
export const keyOf = ({ seeds: _, ...settings }: DistilSettings): string => JSON.stringify(settings);
