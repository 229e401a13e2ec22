/** What a finished run has to say: the input of its report. */

/** The rows that the report's headline compares. */
export const MKDT_ROW = 'MKDT';
export const RANDOM_SUBSET_ROW = 'random subset';

/** Iterations that the first and the last trajectory loss are means of: 20, or half of a shorter run. */
export function averagingWindow(iterations: number): number {
  return Math.min(20, Math.ceil(iterations / 2));
}

/** One linear-probe result: an encoder and a share of the labels. */
export interface ResultRow {
  readonly name: string;
  /** The share of the training labels that the probe saw, such as 0.01. */
  readonly labels: number;
  /** Test accuracy, 0 to 1: the mean over the seeds. */
  readonly mean: number;
  /** The population standard deviation over the seeds, in the same unit. */
  readonly deviation: number;
  readonly seeds: number;
}

/** Equation (3): mean squared error to the teacher's representations on held-out images, over the seeds. */
export interface HeldOutError {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
}

export interface RunDevice {
  readonly name: string;
  readonly kind: 'hardware' | 'software';
  /** Whether it is the software device that comes with the package. */
  readonly bundled: boolean;
}

export interface RunResult {
  readonly device: RunDevice;
  readonly dataset: string;
  readonly rows: readonly ResultRow[];
  readonly heldOutError: readonly HeldOutError[];
  /** Equation (4): means of the first and of the last iterations (see `averagingWindow`). */
  readonly trajectoryLoss: { readonly first: number; readonly last: number };
  /** The learned inner step α at the start and at the end. */
  readonly innerStep: { readonly first: number; readonly last: number };
  /** Seconds per stage, in the order in which the stages ran. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** One iteration of distillation. */
export interface DistilEvent {
  readonly iteration: number;
  readonly loss: number;
  readonly innerStep: number;
}

export interface ReportInput {
  readonly title: string;
  /** The command that repeats the run. */
  readonly command: string;
  readonly result: RunResult;
  readonly events: readonly DistilEvent[];
  /** The contact sheet as a PNG file's bytes; the picture is left out when there are none. */
  readonly imagesPng: Uint8Array;
  /** The resolved configuration. */
  readonly configYaml: string;
}
