/** How much of a matrix product one invocation does: the block whose launch is estimated to take least. */
import { cheapest, pieces, sharedLoads } from './blockCosts.js';
import { splitSum, type Tuning, wholeMultiple } from './catalogue.js';

/** Extents of one product: M rows, COLUMNS columns, sums over INNER. */
export interface MatmulExtents {
  readonly M: number;
  readonly INNER: number;
  readonly COLUMNS: number;
}

/** The block of matmul.wgsl, as its definitions name it, and whether lanes share what they load. */
export interface MatmulBlock {
  readonly ROW_BLOCK: number;
  readonly COLUMN_BLOCK: number;
  /** Neighbours along INNER that are written out in one turn; every slice is a multiple of it. */
  readonly STEP: number;
  readonly SLICES: number;
  readonly INNER_PER_SLICE: number;
  readonly shares: boolean;
}

function* matmulBlockChoices(extents: MatmulExtents, tuning: Tuning, lanes: number, maySplit: boolean) {
  const { M, INNER, COLUMNS } = extents;
  const { matmulBlock: limits, costs, parallelism } = tuning;
  const steps = pieces(INNER, limits.steps).filter((step) => INNER % step === 0);
  for (const ROW_BLOCK of pieces(M, limits.rows)) {
    for (const COLUMN_BLOCK of pieces(COLUMNS, limits.columns)) {
      for (const STEP of steps) {
        for (const shares of lanes === 1 ? [false] : [true, false]) {
          const sums = ROW_BLOCK * COLUMN_BLOCK;
          const terms = sums * STEP;
          if (terms > 1 && (sums > limits.sums || terms > limits.terms)) continue;
          const columnGroups = Math.ceil(COLUMNS / COLUMN_BLOCK);
          const places = shares ? wholeMultiple(columnGroups, lanes) : columnGroups;
          const groups = places * Math.ceil(M / ROW_BLOCK);
          const turns = INNER / STEP;
          const split = maySplit
            ? splitSum(turns, groups, tuning, limits.shortestSlice)
            : { perSlice: turns, slices: 1 };
          const turn =
            sharedLoads(ROW_BLOCK * STEP, shares ? lanes : 1, costs) +
            COLUMN_BLOCK * STEP * costs.load +
            terms * costs.term +
            sums * costs.sum;
          const each = split.perSlice * turn + sums * costs.store;
          // Slices are read and added up by a launch of their own.
          const adding = split.slices === 1 ? 0 : costs.launch + M * COLUMNS * split.slices * costs.load;
          const cost = Math.max(groups * split.slices, parallelism) * each + adding;
          const block = {
            ROW_BLOCK,
            COLUMN_BLOCK,
            STEP,
            SLICES: split.slices,
            INNER_PER_SLICE: split.perSlice * STEP,
            shares,
          };
          yield [block, cost] as const;
        }
      }
    }
  }
}

/** The block for a product; `maySplit` where the sum over INNER may be cut into slices that are added up afterwards. */
export function chooseMatmulBlock(
  extents: MatmulExtents,
  tuning: Tuning,
  lanes: number,
  maySplit: boolean,
): MatmulBlock {
  return cheapest(matmulBlockChoices(extents, tuning, lanes, maySplit));
}
