/** How the three convolutions run: the blocks that each launch holds in registers. */
import { evenPieces, type Tuning } from '../../kernels/catalogue.js';
import type { Definitions } from '../../kernels/template.js';
import type { LoweredOperation, Lowering } from '../operation.js';
import { sizeOf } from '../tape.js';
import type { Extents } from './conv2dExtents.js';
import { launchConv2dTiled, launchWeightGradTiled } from './conv2dTiled.js';
import { launchSliceSum } from './sliceSum.js';

/** Output channels that one invocation computes beside `pixels` neighbours, each a sum over a window row of `taps`. */
function blockOfChannels(channels: number, pixels: number, taps: number, limits: Tuning['conv2d']): number {
  const bySums = Math.floor(limits.sums / pixels);
  const byTerms = Math.floor(limits.terms / (pixels * taps));
  return evenPieces(channels, Math.max(1, Math.min(limits.outputs, bySums, byTerms)));
}

/** Launches conv2d.wgsl for a convolution with these extents. */
export function launchConv2d(
  lowering: Lowering,
  extents: Extents,
  { inputs: [x, w, bias], output }: LoweredOperation,
  transposed = false,
): void {
  if (launchConv2dTiled(lowering, extents, { inputs: [x!, w!, bias], output }, transposed)) return;
  const { N, O, L, HO, WO } = extents;
  const limits = lowering.tuning.conv2d;
  const PIXELS = evenPieces(WO, limits.pixels);
  const OUTPUTS = blockOfChannels(O, PIXELS, L, limits);
  const SEGMENTS = Math.ceil(WO / PIXELS);
  const CHANNEL_GROUPS = Math.ceil(O / OUTPUTS);
  const definitions: Definitions = {
    ...extents,
    OUTPUTS,
    PIXELS,
    SEGMENTS,
    CHANNEL_GROUPS,
    TRANSPOSED_WEIGHT: transposed,
    BIAS: bias !== undefined,
  };
  const buffers = [x!, w!, output, ...(bias === undefined ? [] : [bias])];
  lowering.launch('conv2d', definitions, buffers, N * CHANNEL_GROUPS * HO * SEGMENTS);
}

/** Launches the gradient by the input of a convolution with these extents. */
export function launchInputGrad(lowering: Lowering, extents: Extents, operation: LoweredOperation): void {
  const { N, C, H, W, O, K, L, HO, WO, SH, SW, PH, PW } = extents;
  if (SH === 1 && SW === 1) {
    // The same convolution from ȳ to x̄, with the other padding.
    const paddings = { PH: K - 1 - PH, PW: L - 1 - PW };
    const mirrored = { ...extents, ...paddings, C: O, H: HO, W: WO, O: C, HO: H, WO: W };
    launchConv2d(lowering, mirrored, operation, true);
    return;
  }
  const limits = lowering.tuning.conv2d;
  // Whole steps of the stride, so that every segment meets the window alike.
  const steps = evenPieces(Math.ceil(W / SW), Math.max(1, Math.floor(limits.pixels / SW)));
  const PIXELS = Math.min(W, steps * SW);
  const OUTPUTS = blockOfChannels(C, PIXELS, Math.ceil(L / SW), limits);
  const SEGMENTS = Math.ceil(W / PIXELS);
  const CHANNEL_GROUPS = Math.ceil(C / OUTPUTS);
  const FIRST = Math.ceil((PW - L + 1) / SW);
  const definitions: Definitions = {
    ...extents,
    OUTPUTS,
    PIXELS,
    SEGMENTS,
    CHANNEL_GROUPS,
    FIRST,
    SOURCES: Math.floor((PIXELS - 1 + PW) / SW) - FIRST + 1,
  };
  const buffers = [...operation.inputs, operation.output];
  lowering.launch('conv2dInputGrad', definitions, buffers, N * CHANNEL_GROUPS * H * SEGMENTS);
}

/** Launches the gradient by the weight of a convolution with these extents. */
export function launchWeightGrad(lowering: Lowering, extents: Extents, operation: LoweredOperation): void {
  if (launchWeightGradTiled(lowering, extents, operation)) return;
  const { N, C, O, K, L, WO } = extents;
  const [x, cotangent] = operation.inputs;
  const { outputs, pixels, wholeRow, tapRows, sums } = lowering.tuning.conv2dWeightGrad;
  const TAP_ROWS = evenPieces(K, Math.max(1, Math.min(tapRows, Math.floor(sums / L))));
  const TAP_GROUPS = Math.ceil(K / TAP_ROWS);
  const OUTPUTS = evenPieces(O, Math.max(1, Math.min(outputs, Math.floor(sums / (TAP_ROWS * L)))));
  const CHANNEL_GROUPS = Math.ceil(O / OUTPUTS);
  // A slice holds whole images, so its length counts them.
  const perOutput = C * TAP_GROUPS * CHANNEL_GROUPS;
  const wantedSlices = Math.min(N, Math.max(1, Math.ceil(lowering.tuning.parallelism / perOutput)));
  const IMAGES_PER_SLICE = Math.ceil(N / wantedSlices);
  const SLICES = Math.ceil(N / IMAGES_PER_SLICE);
  const size = sizeOf(operation.type.shape);
  const part = SLICES === 1 ? operation.output : lowering.scratch(SLICES * size);
  const definitions: Definitions = {
    ...extents,
    OUTPUTS,
    CHANNEL_GROUPS,
    TAP_ROWS,
    TAP_GROUPS,
    SLICES,
    IMAGES_PER_SLICE,
    PIXELS: WO <= wholeRow ? WO : evenPieces(WO, pixels),
  };
  lowering.launch('conv2dWeightGrad', definitions, [x!, cotangent!, part], perOutput * SLICES);
  if (SLICES > 1) launchSliceSum(lowering, part, operation.output, SLICES, size);
}
