import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitTuning, tuningFor } from '../../src/kernels/catalogue.js';
import { chooseTile, QUAD, tileBytes, tileInvocations } from '../../src/kernels/tiles.js';
import { hardwareTiling } from '../support/tiling.js';

/** What WebGPU guarantees on every device. */
const guaranteed = { maxComputeWorkgroupStorageSize: 16_384, maxComputeInvocationsPerWorkgroup: 256 };
const extent = fc.integer({ min: 1, max: 5000 });

describe('the table of tiles', () => {
  it('holds tiles that every WebGPU device can run', () => {
    expect(fitTuning(tuningFor('hardware'), guaranteed)).toEqual(tuningFor('hardware'));
  });

  it.each(hardwareTiling.tiles)('has blocks of quads that divide the tile: %o', (tile) => {
    const { rows, columns, inner, blockRows, blockColumns } = tile;
    for (const count of [inner, blockRows, blockColumns]) expect(count % QUAD).toBe(0);
    expect(rows % blockRows).toBe(0);
    expect(columns % blockColumns).toBe(0);
  });

  it('loses the tiles that a device cannot hold, and is none when it can hold none', () => {
    const least = { ...guaranteed, maxComputeInvocationsPerWorkgroup: 128 };
    const few = fitTuning(tuningFor('hardware'), least).tiling!;
    expect(few.tiles.length).toBeGreaterThan(0);
    expect(few.tiles.length).toBeLessThan(hardwareTiling.tiles.length);
    for (const tile of few.tiles) expect(tileInvocations(tile)).toBeLessThanOrEqual(128);
    const smallest = Math.min(...hardwareTiling.tiles.map(tileBytes));
    const none = { ...guaranteed, maxComputeWorkgroupStorageSize: smallest - 1 };
    expect(fitTuning(tuningFor('hardware'), none).tiling).toBeNull();
  });
});

describe('the tile of a product', () => {
  it('covers every row, column and term, with no empty tile or slice', () => {
    fc.assert(
      fc.property(extent, extent, fc.integer({ min: 1, max: 100_000 }), (rows, columns, inner) => {
        const tile = chooseTile(rows, columns, inner, { ...hardwareTiling, products: 0, fill: 0 })!;
        const axes = [
          [rows, tile.TILE_ROWS, tile.ROW_TILES],
          [columns, tile.TILE_COLUMNS, tile.COLUMN_TILES],
          [inner, tile.INNER_PER_SLICE, tile.SLICES],
        ] as const;
        for (const [total, piece, count] of axes) {
          expect(piece * count).toBeGreaterThanOrEqual(total);
          expect(piece * (count - 1)).toBeLessThan(total);
        }
        expect(tile.INNER_PER_SLICE % tile.TILE_INNER).toBe(0);
      }),
      { seed: 3 },
    );
  });

  it('is filled as far as the table asks, or there is none', () => {
    fc.assert(
      fc.property(extent, extent, (rows, columns) => {
        const tile = chooseTile(rows, columns, 512, hardwareTiling);
        if (tile === null) return;
        const area = tile.ROW_TILES * tile.TILE_ROWS * tile.COLUMN_TILES * tile.TILE_COLUMNS;
        expect((rows * columns) / area).toBeGreaterThanOrEqual(
          hardwareTiling.fill * hardwareTiling.fillOfBest,
        );
      }),
      { seed: 4 },
    );
  });

  it('is the largest for a large product, whose sum stays whole', () => {
    const [largest] = hardwareTiling.tiles;
    const tile = chooseTile(4096, 4096, 4096, hardwareTiling)!;
    expect([tile.TILE_ROWS, tile.TILE_COLUMNS]).toEqual([largest!.rows, largest!.columns]);
    expect(tile.SLICES).toBe(1);
    expect(tile.WORKGROUP).toBe(tileInvocations(largest!));
  });

  it('is smaller where the larger one gives too few workgroups', () => {
    const last = hardwareTiling.tiles.at(-1)!;
    const tile = chooseTile(256, 256, 128, hardwareTiling)!;
    expect([tile.TILE_ROWS, tile.TILE_COLUMNS]).toEqual([last.rows, last.columns]);
  });

  it('lies across where the rows are few: the channels of a convolution', () => {
    const tile = chooseTile(64, 65_536, 576, hardwareTiling)!;
    expect([tile.TILE_ROWS, tile.TILE_COLUMNS]).toEqual([64, 128]);
  });

  it('has its sum split where tiles are few and terms many, into slices that are worth it', () => {
    const tile = chooseTile(128, 1152, 65_536, hardwareTiling)!;
    const groups = tile.ROW_TILES * tile.COLUMN_TILES * tile.SLICES;
    expect(groups).toBeGreaterThan(hardwareTiling.workgroups / 2);
    expect(tile.INNER_PER_SLICE).toBeGreaterThanOrEqual(hardwareTiling.slice);
  });

  it('is none for small or narrow products, and on devices without tiles', () => {
    expect(chooseTile(16, 16, 16, hardwareTiling)).toBeNull();
    expect(chooseTile(3, 100_000, 1000, hardwareTiling)).toBeNull();
    expect(chooseTile(4096, 4096, 4096, tuningFor('software').tiling)).toBeNull();
  });
});
