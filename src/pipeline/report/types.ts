/** What a finished run has to say: the input of its report. */

import type { EvaluationTable } from '../evaluate/record.js';
import type { Sheet } from '../sheets.js';

/** One linear-probe result: an encoder and a share of the labels. */
export interface ResultRow {
  /** Name of the encoder, such as `MKDT` or `random subset`. */
  readonly name: string;
  /** The share of the training labels that the probe saw, such as 0.01. */
  readonly labels: number;
  /** Test accuracy, 0 to 1: the mean over the seeds. */
  readonly mean: number;
  /** The population standard deviation over the seeds, in the same unit. */
  readonly deviation: number;
  /** Number of evaluation seeds. */
  readonly seeds: number;
}

/** Equation (3): mean squared error to the teacher's representations on held-out images, over the seeds. */
export interface HeldOutError {
  /** Name of the encoder. */
  readonly name: string;
  /** Mean over the seeds. */
  readonly mean: number;
  /** Population standard deviation over the seeds. */
  readonly deviation: number;
}

/** What the sets are worth to another architecture. */
export interface TransferResult {
  /** The architecture with its sizes, such as `MLP, 2 layers of 128`. */
  readonly student: string;
  /** Linear-probe accuracy of each encoder at each share of the labels. */
  readonly rows: readonly ResultRow[];
  /** Equation (3) for each encoder. */
  readonly heldOutError: readonly HeldOutError[];
}

/** The device that a run was made on. */
export interface RunDevice {
  /** Its name, with its driver's where that says more. */
  readonly name: string;
  /** Whether it computes on a GPU or on the processor. */
  readonly kind: 'hardware' | 'software';
  /** Whether it is the software device that comes with the package. */
  readonly bundled: boolean;
  /** A hash of the block sizes that it was tuned to by `hypergrad tune`; absent where it has the usual ones. */
  readonly tuning?: string;
}

/** What a run found. */
export interface RunResult {
  /** The device that it was made on. */
  readonly device: RunDevice;
  /** Name of the dataset. */
  readonly dataset: string;
  /** Linear-probe accuracy of each encoder at each share of the labels. */
  readonly rows: readonly ResultRow[];
  /** Equation (3) for each encoder that has the teacher's representation. */
  readonly heldOutError: readonly HeldOutError[];
  /** The same for every other architecture that was evaluated; empty where none was. */
  readonly transfer: readonly TransferResult[];
  /** Equation (4): means of the first and of the last iterations (see `averagingWindow`). */
  readonly trajectoryLoss: { readonly first: number; readonly last: number };
  /** The learned inner step α at the start and at the end. */
  readonly innerStep: { readonly first: number; readonly last: number };
  /** Seconds per stage, in the order in which the stages ran. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** One iteration of distillation. */
export interface DistilEvent {
  /** Number of the outer iteration. */
  readonly iteration: number;
  /** The trajectory loss (equation 4) before the update. */
  readonly loss: number;
  /** The inner step α. */
  readonly innerStep: number;
}

/** A loss by how many steps were done. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

/** The loss of one expert after one of its epochs. */
export interface ExpertLoss {
  readonly expert: number;
  readonly epoch: number;
  readonly loss: number;
}

/** What the stages of a run told while they trained; empty where a run has no such stage. */
export interface RunCurves {
  readonly distil: readonly DistilEvent[];
  readonly teacher: readonly LossPoint[];
  readonly experts: readonly ExpertLoss[];
  /** The same for the baseline on the self-supervised loss. */
  readonly selfSupervisedExperts: readonly ExpertLoss[];
  readonly selfSupervised: readonly DistilEvent[];
}

/** Images of the synthetic set in three grids, in the same order. */
export interface Pictures {
  /** What distillation started from. */
  readonly before: Sheet;
  readonly after: Sheet;
  /** After minus before; of grey images in colours, of coloured ones by channel around grey. */
  readonly difference: Sheet;
  /** Images that are shown, of so many in the set. */
  readonly shown: number;
  readonly count: number;
  /** The difference that is drawn at full strength, as a share of the range from black to white. */
  readonly scale: number;
}

/** What the encoders of the first evaluation seed make of some held-out images. */
export interface ShownRepresentations {
  /** Their numbers among the run's test images [n]. */
  readonly images: Int32Array;
  /** Their classes [n], as numbers; null where the data has none. */
  readonly labels: Int32Array | null;
  /** Names of all classes, by number. */
  readonly classes: readonly string[];
  /** Length D. */
  readonly representation: number;
  /** Representations [n, D] by the row's name, the teacher's first. */
  readonly encoders: readonly { readonly name: string; readonly values: Float32Array }[];
}

/** All that the report of one run is made from. */
export interface ReportInput {
  readonly title: string;
  /** The command that repeats the run; null where the run did not keep it. */
  readonly command: string | null;
  readonly result: RunResult;
  /** What the rows of the result are means of. */
  readonly evaluation: EvaluationTable;
  readonly curves: RunCurves;
  /** Null where the folder does not say how its images were standardised. */
  readonly pictures: Pictures | null;
  /** Null where the evaluation kept none, as earlier versions did. */
  readonly representations: ShownRepresentations | null;
  /** The resolved configuration. */
  readonly configYaml: string;
}
