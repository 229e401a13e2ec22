import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeStays, type Stay } from '../../../src/autograd/compile/place.js';

const ALIGNMENT = 256;
const MAXIMUM = 4096;

const stays = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 3000 }), first: fc.nat(30), length: fc.nat(10) })
    .map(({ bytes, first, length }): Stay => ({ bytes, first, last: first + length })),
  { maxLength: 40 },
);

describe('placeStays', () => {
  it('never gives two tensors the same bytes at the same time', () => {
    fc.assert(
      fc.property(stays, (list) => {
        const { places } = placeStays(list, ALIGNMENT, MAXIMUM);
        list.forEach((a, i) => {
          list.slice(0, i).forEach((b, j) => {
            const sameTime = a.first <= b.last && b.first <= a.last;
            const [p, q] = [places[i]!, places[j]!];
            const sameBytes =
              p.buffer === q.buffer && p.offset < q.offset + b.bytes && q.offset < p.offset + a.bytes;
            expect(sameTime && sameBytes).toBe(false);
          });
        });
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('aligns every place, keeps it inside its buffer and the buffer inside the limit', () => {
    fc.assert(
      fc.property(stays, (list) => {
        const { places, bufferBytes } = placeStays(list, ALIGNMENT, MAXIMUM);
        expect(places).toHaveLength(list.length);
        places.forEach(({ buffer, offset }, index) => {
          expect(offset % ALIGNMENT).toBe(0);
          expect(offset + list[index]!.bytes).toBeLessThanOrEqual(bufferBytes[buffer]!);
        });
        for (const bytes of bufferBytes) expect(bytes).toBeLessThanOrEqual(MAXIMUM);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('reuses memory: a chain of any length needs two tensors at a time', () => {
    const chain = Array.from({ length: 50 }, (_, k): Stay => ({ bytes: 1000, first: k, last: k + 1 }));
    expect(placeStays(chain, ALIGNMENT, 1e6).bufferBytes).toEqual([2048]);
  });

  it('keeps what stays to the end apart from everything after it', () => {
    const kept: Stay = { bytes: 256, first: 0, last: 9 };
    const others = Array.from({ length: 9 }, (_, k): Stay => ({ bytes: 256, first: k + 1, last: k + 1 }));
    const { places, bufferBytes } = placeStays([kept, ...others], ALIGNMENT, 1e6);
    expect(new Set(places.slice(1).map(({ offset }) => offset))).toEqual(new Set([256]));
    expect(bufferBytes).toEqual([512]);
  });

  it('opens another buffer for what fits into none, and gives an oversized tensor its own', () => {
    const together: Stay[] = [3000, 3000, 9000].map((bytes) => ({ bytes, first: 0, last: 1 }));
    const { places, bufferBytes } = placeStays(together, ALIGNMENT, MAXIMUM);
    expect(places.map(({ buffer }) => buffer)).toEqual([0, 1, 2]);
    expect(bufferBytes).toEqual([3072, 3072, 9216]);
  });
});
