/** What the page and its worker say to each other. */
import type { ResultRow } from '../src/pipeline/report/types.js';
import type { DeviceReport } from './device.js';
import type { InsideGradient } from './inside.js';
import type { DistilSettings } from './settings.js';

/** A device as the page tells of it. */
export interface OpenedDevice {
  readonly name: string;
  readonly kind: 'hardware' | 'software';
  readonly description: string;
}

/** Everything that a picture of images needs. */
export interface ImageTable {
  /** [count, C, H, W], standardised. */
  readonly data: Float32Array;
  readonly count: number;
  readonly image: readonly [channels: number, height: number, width: number];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** One outer iteration, seen from outside. */
export interface IterationRecord {
  readonly iteration: number;
  /** The trajectory loss before its update. */
  readonly loss: number;
  /** α before its update. */
  readonly innerStep: number;
}

/** Where a distillation stands. */
export interface SetState {
  readonly settings: DistilSettings;
  /** Name of the brought set that it goes on from; null for the page's digits. */
  readonly brought: string | null;
  /** Settings that such a set decides itself. */
  readonly own: readonly (keyof DistilSettings)[];
  readonly records: readonly IterationRecord[];
  readonly start: ImageTable;
  readonly now: ImageTable;
}

/** What the worker does for the page: arguments and result of each method. */
export interface Methods {
  open(): OpenedDevice;
  begin(settings: DistilSettings, brought: string | null): SetState;
  /** Iterations done, when it has ended. */
  run(): number;
  pause(): null;
  /** Iterations done. */
  step(): number;
  reset(): SetState;
  probe(seeds: number): readonly ResultRow[];
  examine(): DeviceReport;
  lookInside(): InsideGradient;
  download(): Uint8Array;
  picture(): Picture;
  /** Name of the set, for `begin`. */
  upload(settings: DistilSettings, file: string, bytes: Uint8Array<ArrayBuffer>): string;
  /** For tests: destroys the device, as the reset of a driver does. */
  loseDevice(): null;
}

/** Pixels row by row, channels last, 8 bits each. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

export type MethodName = keyof Methods;
export type Arguments<Name extends MethodName> = Parameters<Methods[Name]>;
export type Result<Name extends MethodName> = ReturnType<Methods[Name]>;

/** What the worker tells without being asked. */
export type Happening =
  | { readonly kind: 'iteration'; readonly record: IterationRecord; readonly images: Float32Array }
  | { readonly kind: 'progress'; readonly what: string; readonly done: number; readonly total: number }
  /** A device has taken a lost one's place; `isAnother` where it is not the same one, and has other bits. */
  | { readonly kind: 'reopened'; readonly device: OpenedDevice; readonly isAnother: boolean }
  /** The distillation was brought back, as it was kept. */
  | { readonly kind: 'restored'; readonly state: SetState };

/** What the page asks of the worker. */
export interface Call {
  readonly id: number;
  readonly method: MethodName;
  readonly arguments: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } }
  | { readonly happening: Happening };
