import { expect, it } from 'vitest';
import { formatBytes } from '../../src/gpu/formatBytes.js';

it('uses the largest unit that fits', () => {
  expect([12, 2048, 1.5 * 2 ** 20, 2 ** 30].map(formatBytes)).toEqual([
    '12 bytes',
    '2 KiB',
    '1.5 MiB',
    '1 GiB',
  ]);
});
