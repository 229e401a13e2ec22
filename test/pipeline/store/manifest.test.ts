import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import {
  decodeManifest,
  encodeManifest,
  hashInputs,
  plainCopy,
  type StageRecord,
} from '../../../src/pipeline/store/manifest.js';

describe('hashInputs', () => {
  it('does not depend on the order of keys, and drops undefined', () => {
    expect(hashInputs({ a: [1, { c: null, d: 'x' }], b: true })).toBe(
      hashInputs({ b: true, e: undefined, a: [1, { d: 'x', c: null }] }),
    );
  });

  it('tells different values apart', () => {
    const values = [{}, [], null, '', 0, false, { a: 1 }, { a: '1' }, { a: [1] }, [1, 2], [2, 1], ['1,2']];
    expect(new Set(values.map(hashInputs)).size).toBe(values.length);
  });

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    undefined,
    () => 1,
    new Map(),
    Float32Array.of(1),
    [undefined],
  ])('refuses %s, which JSON would lose', (value) => {
    expect(() => hashInputs({ value: [value] })).toThrow(StoreError);
  });
});

const hash = hashInputs('some inputs');
const record: StageRecord = {
  inputs: hash,
  artefacts: { 'a.txt': hash },
  reads: { config: { steps: 3 }, seed: 1 },
};

describe('a manifest', () => {
  it('gives back what was written, parts and stages alike', () => {
    const stages = new Map<string, StageRecord>([
      ['experts/000', { inputs: hash, artefacts: {} }],
      ['teacher', record],
    ]);
    expect(decodeManifest(encodeManifest(stages), 'm')).toEqual(stages);
  });

  it('is the same text whatever the order of stages and of what they read', () => {
    const other = { ...record, reads: plainCopy({ seed: 1, tuning: undefined, config: { steps: 3 } }) };
    expect(
      encodeManifest(
        new Map([
          ['b', record],
          ['a', other],
        ]),
      ),
    ).toBe(
      encodeManifest(
        new Map([
          ['a', record],
          ['b', other],
        ]),
      ),
    );
    expect(encodeManifest(new Map([['a', other]]))).toBe(encodeManifest(new Map([['a', record]])));
  });

  it('of version 1 keeps its stages, which do not say what they read', () => {
    const { reads: _, ...old } = record;
    const text = JSON.stringify({ version: 1, stages: { teacher: old } });
    expect(decodeManifest(text, 'm')).toEqual(new Map([['teacher', old]]));
  });

  it('of a newer version is refused in words', () => {
    expect(() => decodeManifest('{"version":3,"stages":[]}', 'runs/a/manifest.json')).toThrow(
      /^runs\/a\/manifest.json is of version 3, written by a newer hypergrad; .* up to 2\. Use that hypergrad/,
    );
  });

  it.each([
    '',
    '{',
    'null',
    '{"version":2}',
    '{"version":"2","stages":{}}',
    '{"version":0,"stages":{}}',
    '{"version":2,"stages":{"a":{"inputs":"x","artefacts":{}}}}',
    `{"version":1,"stages":{"a":{"inputs":"${hash}","artefacts":{},"reads":{}}}}`,
    `{"version":2,"stages":{"a":{"inputs":"${hash}","artefacts":{},"reads":3}}}`,
    `{"version":2,"stages":{"a":{"inputs":"${hash}","artefacts":{},"reads":{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}}}`,
  ])('that is damaged is refused in words (%#)', (text) => {
    expect(() => decodeManifest(text, 'm')).toThrow(StoreError);
    expect(() => decodeManifest(text, 'm')).toThrow(/^m is damaged\. Delete it/);
  });
});
