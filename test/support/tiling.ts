/** The block sizes of hardware devices with tiles for products of any size, so that small tensors run on them. */
import type { Target } from '../../src/autograd/compile/lower.js';
import { tuningFor } from '../../src/kernels/catalogue.js';
import type { Tiling } from '../../src/kernels/tiles.js';
import { targetWith } from './lowered.js';

export const hardwareTiling: Tiling = tuningFor('hardware').tiling!;

/**
 * @param tile place in the table of tiles, the only one that there is to choose
 * @param slices how many pieces a sum of `terms` terms is split into at most, if there are so many turns of the loop
 */
export function targetWithTile(tile: number, { slices = 1, terms = 1 } = {}): Target {
  const tiling: Tiling = {
    tiles: [hardwareTiling.tiles[tile]!],
    workgroups: slices === 1 ? 1 : Number.POSITIVE_INFINITY,
    fill: 0,
    fillOfBest: 0,
    products: 0,
    slice: Math.max(1, Math.floor(terms / slices)),
  };
  return targetWith({ tuning: { ...tuningFor('hardware'), tiling } });
}
