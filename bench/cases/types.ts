/** What every side of a comparison is given: sizes and numbers, the same for all. */
import type { Model } from '../../src/nn/model.js';

/** Numbers on the host, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** A tensor of a model: `conv0.weight` [O,C,3,3], `norm0.bias` [C], `head.weight` [O,C·H·W], … */
export interface NamedTensor extends HostTensor {
  readonly name: string;
  readonly data: Float32Array;
}

/** What a kernel computes of its operands. */
export type KernelOperation =
  /** a·b of [M,K] and [K,N]. */
  | 'matmul'
  /** Images [B,C,H,W] and a weight [O,C,3,3], stride 1, padding 1. */
  | 'conv2d'
  /** The output's gradient [B,O,H,W] and the weight → the images' gradient. */
  | 'conv2dInputGrad'
  /** The images and the output's gradient → the weight's gradient. */
  | 'conv2dWeightGrad'
  /** x [B,C,H,W], weight [C] and bias [C]. */
  | 'instanceNorm'
  /** A table [S,R] and row numbers [K]. */
  | 'gather'
  /** max(a·b + a, 0)·b − a of two vectors. */
  | 'elementwiseChain';

/** One kernel at one size. */
export interface KernelCase {
  readonly name: string;
  readonly operation: KernelOperation;
  readonly operands: readonly HostTensor[];
  readonly output: readonly number[];
  /** Work of one run: floating-point operations, or bytes that must be read and written. */
  readonly work: number;
  readonly unit: 'GFLOP/s' | 'GB/s';
}

/** One training step: the student's forward pass, mean squared error, backward pass and θ' = θ − α·g. */
export interface StudentCase {
  readonly name: string;
  readonly model: Model;
  /** Number of blocks. */
  readonly depth: number;
  /** θ_0 by name. */
  readonly parameters: readonly NamedTensor[];
  /** [B,C,H,W]. */
  readonly images: HostTensor;
  /** [B,output]. */
  readonly targets: HostTensor;
  readonly learningRate: number;
}

/** N such steps, and the gradient of ‖θ_N − θ*‖²/‖θ_0 − θ*‖² by images, targets and learning rate. */
export interface HypergradientCase extends StudentCase {
  readonly steps: number;
  /** θ* by name. */
  readonly arrival: readonly NamedTensor[];
}
