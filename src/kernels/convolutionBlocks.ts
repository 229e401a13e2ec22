/**
 * How much of a convolution one invocation does: of all blocks that fit into registers, the one whose launch is
 * estimated to take least. Few loads for many products is what counts; too few invocations leave cores idle.
 */
import { cheapest, pieces, sharedLoads } from './blockCosts.js';
import { type Tuning, wholeMultiple } from './catalogue.js';

/** Extents of one convolution: x [N,C,H,W], w [O,C,K,L], y [N,O,HO,WO], strides SH, SW. */
export interface ConvolutionExtents {
  readonly N: number;
  readonly C: number;
  readonly O: number;
  readonly K: number;
  readonly L: number;
  readonly HO: number;
  readonly WO: number;
  readonly SH: number;
  readonly SW: number;
}

/** The block of conv2d.wgsl, as its definitions name it. */
export interface Conv2dBlock {
  readonly OUTPUTS: number;
  readonly ROWS: number;
  readonly PIXELS: number;
  readonly WINDOW_ROWS: number;
}

/** The block of conv2dWeightGrad.wgsl, as its definitions name it, and whether lanes share what they load. */
export interface WeightGradBlock {
  readonly OUTPUTS: number;
  readonly ROWS: number;
  readonly PIXELS: number;
  readonly TAP_ROWS: number;
  readonly shares: boolean;
}

function* conv2dBlocks(extents: ConvolutionExtents, tuning: Tuning, lanes: number) {
  const { N, C, O, K, L, HO, WO, SH, SW } = extents;
  const { conv2d, costs, parallelism } = tuning;
  const windows = K === 1 ? [1] : [K, 1];
  for (const WINDOW_ROWS of windows) {
    for (const OUTPUTS of pieces(O, conv2d.outputs)) {
      for (const ROWS of pieces(HO, conv2d.rows)) {
        for (const PIXELS of pieces(WO, conv2d.pixels)) {
          const sums = OUTPUTS * ROWS * PIXELS;
          const terms = sums * WINDOW_ROWS * L;
          const isLeast = sums === 1 && WINDOW_ROWS === 1;
          if (!isLeast && (sums > conv2d.sums || terms > conv2d.terms)) continue;
          const invocations = N * Math.ceil(O / OUTPUTS) * Math.ceil(HO / ROWS) * Math.ceil(WO / PIXELS);
          const pixelLoads = ((ROWS - 1) * SH + WINDOW_ROWS) * ((PIXELS - 1) * SW + L);
          const turn =
            pixelLoads * costs.load +
            sharedLoads(OUTPUTS * WINDOW_ROWS * L, lanes, costs) +
            terms * costs.term +
            sums * costs.sum;
          const each = ((C * K) / WINDOW_ROWS) * turn + sums * costs.store;
          yield [{ OUTPUTS, ROWS, PIXELS, WINDOW_ROWS }, Math.max(invocations, parallelism) * each] as const;
        }
      }
    }
  }
}

/** The block for a convolution, or for an input gradient with its extents mirrored. */
export function chooseConv2dBlock(extents: ConvolutionExtents, tuning: Tuning, lanes: number): Conv2dBlock {
  return cheapest(conv2dBlocks(extents, tuning, lanes));
}

function* weightGradBlocks(extents: ConvolutionExtents, tuning: Tuning, lanes: number) {
  const { N, C, O, K, L, HO, WO, SH, SW } = extents;
  const { conv2dWeightGrad: limits, costs, parallelism } = tuning;
  for (const TAP_ROWS of pieces(K, K)) {
    for (const OUTPUTS of pieces(O, limits.outputs)) {
      for (const ROWS of pieces(HO, limits.rows)) {
        for (const PIXELS of pieces(WO, limits.pixels)) {
          for (const shares of lanes === 1 ? [false] : [true, false]) {
            const sums = OUTPUTS * TAP_ROWS * L;
            const terms = sums * ROWS * PIXELS;
            const isLeast = OUTPUTS * TAP_ROWS * ROWS * PIXELS === 1;
            if (!isLeast && (sums > limits.sums || terms > limits.terms)) continue;
            const blocks = Math.ceil(HO / ROWS) * Math.ceil(WO / PIXELS);
            const pixelLoads = ((ROWS - 1) * SH + TAP_ROWS) * ((PIXELS - 1) * SW + L);
            const turn =
              pixelLoads * costs.load +
              sharedLoads(OUTPUTS * ROWS * PIXELS, shares ? lanes : 1, costs) +
              terms * costs.term +
              sums * costs.sum;
            const places = shares ? wholeMultiple(C, lanes) : C;
            const invocations = N * places * Math.ceil(O / OUTPUTS) * Math.ceil(K / TAP_ROWS);
            const cost = Math.max(invocations, parallelism) * blocks * turn;
            yield [{ OUTPUTS, ROWS, PIXELS, TAP_ROWS, shares }, cost] as const;
          }
        }
      }
    }
  }
}

/** The block for a weight gradient. */
export function chooseWeightGradBlock(
  extents: ConvolutionExtents,
  tuning: Tuning,
  lanes: number,
): WeightGradBlock {
  return cheapest(weightGradBlocks(extents, tuning, lanes));
}
