import { describe, expect, it } from 'vitest';
import { version } from '../../../package.json';
import { parseRecord, type TuningRecord } from '../../../src/pipeline/tune/record.js';

const adapter = { name: 'made adapter (driver 1.2)', kind: 'software' } as const;
const record: TuningRecord = {
  format: 1,
  adapter,
  hypergrad: version,
  webgpu: '0.6.2',
  made: '2026-01-02T03:04:05.678Z',
  preset: 'tiny-test',
  choices: [
    { group: 'reduce', candidate: '4 terms a turn', before: 2, after: 1, failures: { '16': 'refused' } },
  ],
  overrides: { unroll: 4, workgroup: { matmul: 4 } },
};
const text = JSON.stringify(record);
const changed = (changes: object): string => JSON.stringify({ ...record, ...changes });

describe('a record', () => {
  it('is read as it was written', () => {
    expect(parseRecord(text, adapter)).toEqual({ record });
  });

  it.each([
    ['nothing', '', /damaged/],
    ['half a file', text.slice(0, text.length / 2), /damaged/],
    ['another kind of JSON', '[1, 2]', /damaged/],
    ['null', 'null', /damaged/],
    ['lists within lists', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, /damaged/],
    ['an endless name', changed({ overrides: { ['x'.repeat(1e5)]: 1 } }), /^.{100,200}…$/],
    ['endless choices', changed({ choices: Array(1e5).fill(1) }), /field choices/],
    ['the prototype', text.replace('"unroll"', '"__proto__"'), /unknown field "__proto__"/],
    ['a newer format', changed({ format: 2, surprise: true }), /format 2, and this version reads format 1/],
    ['another adapter', changed({ adapter: { ...adapter, name: 'other' } }), /another adapter, 'other'/],
    [
      'the adapter as another kind',
      changed({ adapter: { ...adapter, kind: 'hardware' } }),
      /hardware device/,
    ],
    ['another version', changed({ hypergrad: '0.0.1' }), /hypergrad 0\.0\.1 made it/],
    ['a missing field', changed({ made: undefined }), /field made/],
    ['a date that is none', changed({ made: 'yesterday' }), /field made/],
    ['an unknown field', changed({ more: 1 }), /does not fit/],
    ['a negative time', changed({ choices: [{ ...record.choices[0], before: -1 }] }), /choices\.0\.before/],
    ['no overrides', changed({ overrides: undefined }), /overrides/],
    ['block sizes of another engine', changed({ overrides: { blocks: 3 } }), /unknown field "blocks"/],
    ['a block of nothing', changed({ overrides: { workgroup: { matmul: 0 } } }), /workgroup\.matmul/],
    [
      'a prototype among the overrides',
      text.replace('"overrides":{', '"overrides":{"__proto__":{"unroll":9},'),
      /unknown field "__proto__"/,
    ],
  ])('does not count when it is %s', (_, content, fault) => {
    const parsed = parseRecord(content, adapter);
    expect(parsed).toEqual({ fault: expect.stringMatching(fault) });
  });

  it('brings no prototype in at its own level either', () => {
    const parsed = parseRecord(text.replace('{"format"', '{"__proto__":{"polluted":1},"format"'), adapter);
    expect('polluted' in parsed).toBe(false);
    if ('record' in parsed) expect('polluted' in parsed.record).toBe(false);
    expect('polluted' in {}).toBe(false);
  });
});
