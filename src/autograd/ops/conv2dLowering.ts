/** How the three convolutions run: the blocks that each launch holds in registers. */
import { evenPieces, wholeMultiple } from '../../kernels/catalogue.js';
import { chooseConv2dBlock, chooseWeightGradBlock } from '../../kernels/convolutionBlocks.js';
import type { Definitions } from '../../kernels/template.js';
import type { LoweredOperation, Lowering } from '../operation.js';
import { sizeOf } from '../tape.js';
import type { Extents } from './conv2dExtents.js';
import { launchConv2dTiled, launchWeightGradTiled } from './conv2dTiled.js';
import { launchInSlices } from './reductionLaunches.js';

/** Launches conv2dTiled.wgsl, or else conv2d.wgsl, for a convolution with these extents. */
export function launchConv2d(
  lowering: Lowering,
  extents: Extents,
  { inputs: [x, w, bias], output }: LoweredOperation,
  transposed = false,
): void {
  if (launchConv2dTiled(lowering, extents, { inputs: [x!, w!, bias], output }, transposed)) return;
  const { N, O, HO, WO } = extents;
  const { tuning, lanes: LANES } = lowering;
  const block = chooseConv2dBlock(extents, tuning, LANES);
  const SEGMENTS = Math.ceil(WO / block.PIXELS);
  const ROW_GROUPS = Math.ceil(HO / block.ROWS);
  const CHANNEL_GROUPS = Math.ceil(O / block.OUTPUTS);
  const TILES = N * ROW_GROUPS * SEGMENTS;
  const WORKGROUP = wholeMultiple(tuning.workgroup.conv2d, LANES);
  const PLACES = wholeMultiple(TILES, WORKGROUP);
  const definitions: Definitions = {
    ...extents,
    ...block,
    SEGMENTS,
    ROW_GROUPS,
    CHANNEL_GROUPS,
    TILES,
    PLACES,
    LANES,
    WORKGROUP,
    TRANSPOSED_WEIGHT: transposed,
    BIAS: bias !== undefined,
  };
  const buffers = [x!, w!, output, ...(bias === undefined ? [] : [bias])];
  lowering.launch('conv2d', definitions, buffers, CHANNEL_GROUPS * PLACES);
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
  const bySums = Math.floor(limits.sums / PIXELS);
  const byTerms = Math.floor(limits.terms / (PIXELS * Math.ceil(L / SW)));
  const OUTPUTS = evenPieces(C, Math.max(1, Math.min(limits.outputs, bySums, byTerms)));
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
  const { N, C, O, K } = extents;
  const [x, cotangent] = operation.inputs;
  const { tuning } = lowering;
  const { shares, ...block } = chooseWeightGradBlock(extents, tuning, lowering.lanes);
  const LANES = shares ? lowering.lanes : 1;
  const TAP_GROUPS = Math.ceil(K / block.TAP_ROWS);
  const CHANNEL_GROUPS = Math.ceil(O / block.OUTPUTS);
  const PLACES = wholeMultiple(C, LANES);
  // A slice holds whole images, so its length counts them.
  const perSlice = PLACES * TAP_GROUPS * CHANNEL_GROUPS;
  const wantedSlices = Math.min(N, Math.max(1, Math.ceil(tuning.parallelism / perSlice)));
  const IMAGES_PER_SLICE = Math.ceil(N / wantedSlices);
  const SLICES = Math.ceil(N / IMAGES_PER_SLICE);
  const size = sizeOf(operation.type.shape);
  const definitions: Definitions = {
    ...extents,
    ...block,
    CHANNEL_GROUPS,
    TAP_GROUPS,
    PLACES,
    SLICES,
    IMAGES_PER_SLICE,
    LANES,
    ...(shares ? { WORKGROUP: LANES } : {}),
  };
  launchInSlices(lowering, operation.output, SLICES, size, (part) => {
    lowering.launch('conv2dWeightGrad', definitions, [x!, cotangent!, part], perSlice * SLICES);
  });
}
