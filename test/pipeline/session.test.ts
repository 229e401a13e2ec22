import { expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { readTimings } from '../../src/pipeline/session.js';

it.each<[what: string, readBytes: () => Promise<Uint8Array>]>([
  ['cannot be read', () => Promise.reject(new StoreError('not permitted'))],
  ['are no JSON', async () => new TextEncoder().encode('{"teacher":')],
  ['are no numbers', async () => new TextEncoder().encode('{"teacher":"1"}')],
])('seconds that %s are none', async (_, readBytes) => {
  expect(await readTimings({ exists: async () => true, readBytes })).toEqual({});
});
