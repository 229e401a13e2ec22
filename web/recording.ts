/** A distillation that was recorded, for browsers without WebGPU. */
import type { ResultRow } from '../src/pipeline/report/types.js';
import type { IterationRecord } from './protocol.js';
import type { DistilSettings } from './settings.js';

/** `run.json`; its pictures lie one below the other in `run.png`, frame after frame. */
export interface Recording {
  readonly settings: DistilSettings;
  /** Name of the device that it was made on. */
  readonly device: string;
  /** Iterations from frame to frame; the first frame is the start. */
  readonly every: number;
  readonly frames: number;
  /** Images of a frame. */
  readonly count: number;
  readonly image: readonly [channels: number, height: number, width: number];
  readonly records: readonly IterationRecord[];
  /** How long the iterations took. */
  readonly seconds: number;
  readonly rows: readonly ResultRow[];
}
