/** How convolutions run as matrix products on tiles in workgroup memory. */
import { chooseTile, QUAD } from '../../kernels/tiles.js';
import type { Lowering, Storage } from '../operation.js';
import type { Extents } from './conv2dExtents.js';
import { launchInSlices } from './reductionLaunches.js';

interface Operation {
  readonly inputs: readonly (Storage | undefined)[];
  readonly output: Storage;
}

/**
 * Launches conv2dTiled.wgsl, and the sum of its slices, where the device has tiles and the convolution is large enough.
 *
 * @param operation its inputs are x, w, and a bias or nothing
 * @param transposed w is [C,O,K,L] and read flipped
 * @returns whether it was launched.
 */
export function launchConv2dTiled(
  lowering: Lowering,
  extents: Extents,
  { inputs: [x, w, bias], output }: Operation,
  transposed: boolean,
): boolean {
  const { N, C, O, K, L, HO, WO } = extents;
  const product = { ROWS: O, INNER: C * K * L, COLUMNS: N * HO * WO };
  const tile = chooseTile(product.ROWS, product.COLUMNS, product.INNER, lowering.tuning.tiling);
  if (tile === null) return false;
  const { ROW_TILES, COLUMN_TILES, SLICES } = tile;
  const definitions = {
    ...extents,
    ...product,
    ...tile,
    LEFT_ALONG_INNER: true,
    RIGHT_ALONG_INNER: false,
    W_QUADS: !transposed && product.INNER % QUAD === 0,
    Y_QUADS: (HO * WO) % QUAD === 0,
    TRANSPOSED_WEIGHT: transposed,
    BIAS: bias !== undefined,
  };
  const size = product.ROWS * product.COLUMNS;
  launchInSlices(lowering, output, SLICES, size, (part) => {
    const buffers = [x!, w!, part, ...(bias === undefined ? [] : [bias])];
    lowering.launchWorkgroups('conv2dTiled', definitions, buffers, ROW_TILES * COLUMN_TILES * SLICES);
  });
  return true;
}

/**
 * Launches conv2dWeightGradTiled.wgsl, and the sum of its slices, where the device has tiles and the convolution is large
 * enough.
 *
 * @param operation its inputs are x and the cotangent
 * @returns whether it was launched.
 */
export function launchWeightGradTiled(
  lowering: Lowering,
  extents: Extents,
  { inputs: [x, cotangent], output }: Operation,
): boolean {
  const { N, C, O, K, L, HO, WO } = extents;
  const product = { ROWS: O, INNER: N * HO * WO, COLUMNS: C * K * L };
  const tile = chooseTile(product.ROWS, product.COLUMNS, product.INNER, lowering.tuning.tiling);
  if (tile === null) return false;
  const { ROW_TILES, COLUMN_TILES, SLICES } = tile;
  const definitions = {
    ...extents,
    ...product,
    ...tile,
    LEFT_ALONG_INNER: true,
    RIGHT_ALONG_INNER: true,
    COTANGENT_QUADS: (HO * WO) % QUAD === 0,
    PART_QUADS: product.COLUMNS % QUAD === 0,
  };
  const size = product.ROWS * product.COLUMNS;
  launchInSlices(lowering, output, SLICES, size, (part) => {
    const buffers = [x!, cotangent!, part];
    lowering.launchWorkgroups(
      'conv2dWeightGradTiled',
      definitions,
      buffers,
      ROW_TILES * COLUMN_TILES * SLICES,
    );
  });
  return true;
}
