/** How a matrix product runs on tiles in workgroup memory. */
import { chooseTile, QUAD } from '../../kernels/tiles.js';
import type { Lowering, Storage } from '../operation.js';
import { wgslNumber } from './constants.js';
import { launchInSlices } from './reductionLaunches.js';

/** scale · a [M,INNER] · b [INNER,COLUMNS], each operand as it lies in memory. */
export interface MatrixProduct {
  readonly M: number;
  readonly INNER: number;
  readonly COLUMNS: number;
  readonly transposeA?: unknown;
  readonly transposeB?: unknown;
  /** 1 by default. */
  readonly scale?: number;
}

/**
 * Launches matmulTiled.wgsl, and the sum of its slices, where the device has tiles and the product is large enough.
 *
 * @param operands a, b, and a bias [COLUMNS] or nothing
 * @returns whether it was launched.
 */
export function launchMatmulTiled(
  lowering: Lowering,
  { M, INNER, COLUMNS, transposeA, transposeB, scale = 1 }: MatrixProduct,
  [a, b, bias]: readonly [Storage, Storage, Storage?],
  output: Storage,
): boolean {
  const tile = chooseTile(M, COLUMNS, INNER, lowering.tuning.tiling);
  if (tile === null) return false;
  const { ROW_TILES, COLUMN_TILES, SLICES } = tile;
  const [TRANSPOSE_A, TRANSPOSE_B] = [Boolean(transposeA), Boolean(transposeB)];
  const definitions = {
    ...tile,
    ROWS: M,
    INNER,
    COLUMNS,
    TRANSPOSE_A,
    TRANSPOSE_B,
    LEFT_ALONG_INNER: !TRANSPOSE_A,
    RIGHT_ALONG_INNER: TRANSPOSE_B,
    A_QUADS: (TRANSPOSE_A ? M : INNER) % QUAD === 0,
    B_QUADS: (TRANSPOSE_B ? INNER : COLUMNS) % QUAD === 0,
    Y_QUADS: COLUMNS % QUAD === 0,
    BIAS: bias !== undefined,
    SCALE: wgslNumber(scale),
  };
  launchInSlices(lowering, output, SLICES, M * COLUMNS, (part) => {
    const buffers = [a, b, part, ...(bias === undefined ? [] : [bias])];
    lowering.launchWorkgroups('matmulTiled', definitions, buffers, ROW_TILES * COLUMN_TILES * SLICES);
  });
  return true;
}
