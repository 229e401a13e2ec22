/** Products on tiles in workgroup memory: which tile, and how many slices of the sum, suit which extents. */

/** Numbers that are loaded and stored at a time where the extents allow. */
export const QUAD = 4;

/** A tile that one workgroup computes. Rows, columns and blocks are multiples of four, and blocks divide tiles. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Terms of the sum that lie in workgroup memory at a time; a multiple of four. */
  readonly inner: number;
  /** Rows of the tile that one invocation holds in registers. */
  readonly blockRows: number;
  /** Columns of the tile that one invocation holds in registers. */
  readonly blockColumns: number;
}

/** When products are computed on tiles, and on which. */
export interface Tiling {
  /** From the most to the least work a workgroup. */
  readonly tiles: readonly Tile[];
  /** Workgroups that a product should offer the device at least. */
  readonly workgroups: number;
  /** Least share of the tiles' area that the product must fill with the tile that it fills best. */
  readonly fill: number;
  /** Least share of the best tile's share with which a tile is taken. */
  readonly fillOfBest: number;
  /** Products (rows × columns × terms) below which a launch is too small to gain. */
  readonly products: number;
  /** Fewest terms of a slice of a split sum. */
  readonly slice: number;
}

/** What a device allows a workgroup; the names are WebGPU's. */
export interface WorkgroupLimits {
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** Definitions of tileProduct.wgsl that the choice of a tile settles. */
export type TileDefinitions = Record<
  | 'TILE_ROWS'
  | 'TILE_COLUMNS'
  | 'TILE_INNER'
  | 'BLOCK_ROWS'
  | 'BLOCK_COLUMNS'
  | 'ROW_TILES'
  | 'COLUMN_TILES'
  | 'SLICES'
  | 'INNER_PER_SLICE'
  | 'WORKGROUP',
  number
>;

export const tileInvocations = ({ rows, columns, blockRows, blockColumns }: Tile): number =>
  (rows / blockRows) * (columns / blockColumns);

/** Bytes of workgroup memory: `inner` lines of each operand, with a quad of padding a line. */
export function tileBytes({ rows, columns, inner }: Tile): number {
  const FLOAT_BYTES = 4;
  return inner * (rows + QUAD + columns + QUAD) * FLOAT_BYTES;
}

/** The tiling with the tiles that a device's workgroups can hold; null when there are none. */
export function fitTiling(tiling: Tiling | null, limits: WorkgroupLimits): Tiling | null {
  if (tiling === null) return null;
  const tiles = tiling.tiles.filter(
    (tile) =>
      tileBytes(tile) <= limits.maxComputeWorkgroupStorageSize &&
      tileInvocations(tile) <= limits.maxComputeInvocationsPerWorkgroup,
  );
  return tiles.length === 0 ? null : { ...tiling, tiles };
}

/**
 * The tile for a product [rows, inner] · [inner, columns]: the first that is filled well enough and, with the sum split
 * as far as is worth it, gives enough workgroups; else the last that is filled well enough. The sum is split no further
 * than the device needs.
 *
 * @returns null when the product is too small or too narrow for tiles, or the device has none.
 */
export function chooseTile(
  rows: number,
  columns: number,
  inner: number,
  tiling: Tiling | null,
): TileDefinitions | null {
  if (tiling === null || rows * columns * inner < tiling.products) return null;
  const covers = tiling.tiles.map((tile) => {
    const rowTiles = Math.ceil(rows / tile.rows);
    const columnTiles = Math.ceil(columns / tile.columns);
    const area = rowTiles * tile.rows * columnTiles * tile.columns;
    return { tile, rowTiles, columnTiles, fill: (rows * columns) / area };
  });
  const best = Math.max(...covers.map(({ fill }) => fill));
  if (best < tiling.fill) return null;
  const choices = covers.filter(({ fill }) => fill >= best * tiling.fillOfBest);
  const mostSlices = Math.max(1, Math.floor(inner / tiling.slice));
  const chosen =
    choices.find(({ rowTiles, columnTiles }) => rowTiles * columnTiles * mostSlices >= tiling.workgroups) ??
    choices.at(-1)!;

  const { tile, rowTiles, columnTiles } = chosen;
  const wanted = Math.min(mostSlices, Math.ceil(tiling.workgroups / (rowTiles * columnTiles)));
  // Whole turns of the loop, so that no turn reaches into the next slice.
  const perSlice = Math.ceil(inner / wanted / tile.inner) * tile.inner;
  return {
    TILE_ROWS: tile.rows,
    TILE_COLUMNS: tile.columns,
    TILE_INNER: tile.inner,
    BLOCK_ROWS: tile.blockRows,
    BLOCK_COLUMNS: tile.blockColumns,
    ROW_TILES: rowTiles,
    COLUMN_TILES: columnTiles,
    SLICES: Math.ceil(inner / perSlice),
    INNER_PER_SLICE: perSlice,
    WORKGROUP: tileInvocations(tile),
  };
}
