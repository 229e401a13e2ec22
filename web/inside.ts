/** One hypergradient as the page lays it out: plain numbers, from the worker to the page. */
import type { ImageTable } from './protocol.js';

/** How a memory mode fared. */
export interface ModeMeasure {
  readonly mode: 'full' | 'mixed' | 'recompute';
  /** Bytes of device memory that the unroll holds. */
  readonly bytes: number;
  /** Steps whose intermediates are kept. */
  readonly keptSteps: number;
  /** Seconds of one hypergradient: the least of several. */
  readonly seconds: number;
  /** Its gradient's distance from that of recomputing, as a share of its length; 0 where every bit is the same. */
  readonly distance: number;
}

/** One hypergradient, taken apart. */
export interface InsideGradient {
  /** Iterations that were done before it. */
  readonly iteration: number;
  /** Steps N. */
  readonly steps: number;
  /** The trajectory loss. */
  readonly loss: number;
  readonly expert: number;
  readonly startEpoch: number;
  /** Inner loss before each step [N]. */
  readonly innerLosses: readonly number[];
  /** ‖λ_n‖ for n from 0 to N. */
  readonly adjointNorms: readonly number[];
  /** Each step's own part of the gradient by the images, N of [count, C, H, W]. */
  readonly contributions: readonly Float32Array[];
  /** Each step's own part of the gradient by α [N]. */
  readonly rateContributions: readonly number[];
  /** Cosine of the images' gradient through the last k steps to the exact one, k = 1 … N. */
  readonly cosines: readonly number[];
  readonly modes: readonly ModeMeasure[];
  /** The images that were trained on. */
  readonly images: ImageTable;
}
