/** What the choice of a block of outputs for one invocation is made of: sizes to try, and what loads are estimated to cost. */
import { evenPieces, type Tuning } from './catalogue.js';

/** 1, 2, 4, … up to a limit and to an extent, each made even over the extent. */
export function pieces(extent: number, limit: number): number[] {
  const found = new Set<number>();
  for (let piece = 1; piece < 2 * Math.min(extent, limit); piece *= 2) {
    found.add(evenPieces(extent, Math.min(piece, extent, limit)));
  }
  return [...found];
}

/** The block of the least cost, the first among equals. */
export function cheapest<Block>(blocks: Iterable<readonly [Block, cost: number]>): Block {
  let best: readonly [Block, number] | undefined;
  for (const candidate of blocks) if (best === undefined || candidate[1] < best[1]) best = candidate;
  return best![0];
}

/** Loads of so many numbers that all lanes of a subgroup need; one lane tells the others what it loaded. */
export function sharedLoads(numbers: number, lanes: number, costs: Tuning['costs']): number {
  return lanes === 1
    ? numbers * costs.load
    : Math.ceil(numbers / lanes) * costs.load + numbers * costs.broadcast;
}
