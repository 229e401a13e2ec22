import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Device } from '../../src/gpu/device.js';
import { type DeviceClass, tuningFor } from '../../src/kernels/catalogue.js';
import {
  joinOverrides,
  mergeTuning,
  overridesFault,
  overridesOf,
  tuningOf,
  useTuning,
} from '../../src/kernels/deviceTuning.js';
import { tuningGroups } from '../../src/kernels/tuningCandidates.js';

const base = tuningFor('software');
const classes: readonly DeviceClass[] = ['software', 'wideSoftware', 'hardware'];

describe('merging', () => {
  it('puts what is given in place of the table, field by field, and lists as a whole', () => {
    const merged = mergeTuning(base, {
      workgroup: { matmul: 7 },
      crossCorrelation: [{ rows: 3, columns: 5 }],
      copyItems: 9,
    });
    expect(merged).toEqual({
      ...base,
      workgroup: { ...base.workgroup, matmul: 7 },
      crossCorrelation: [{ rows: 3, columns: 5 }],
      copyItems: 9,
    });
    expect(base).toEqual(tuningFor('software'));
    expect(base.copyItems).not.toBe(9);
  });

  it('takes no name that the table does not have, least of all a prototype', () => {
    const hostile = JSON.parse(
      '{"__proto__":{"polluted":1},"workgroup":{"__proto__":{"matmul":1}},"made":2}',
    );
    const merged = mergeTuning(base, hostile);
    expect(merged).toEqual(base);
    expect(Object.keys(merged)).toEqual(Object.keys(base));
    expect('polluted' in merged).toBe(false);
  });

  it('of joined overrides lets the second count, and merging them is merging one after the other', () => {
    const sizes = fc.record(
      {
        workgroup: fc.record({ matmul: fc.nat(), reduce: fc.nat() }, { requiredKeys: [] }),
        crossCorrelation: fc.array(fc.record({ rows: fc.nat(), columns: fc.nat() }), { maxLength: 3 }),
        unroll: fc.nat(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(sizes, sizes, (first, second) => {
        expect(mergeTuning(base, joinOverrides(first, second))).toEqual(
          mergeTuning(mergeTuning(base, first), second),
        );
      }),
    );
  });
});

describe('overrides from outside', () => {
  it.each([
    ['nothing', {}],
    ['one size', { unroll: 3 }],
    ['one field of a record', { workgroup: { matmul: 1 } }],
    ['a list', { crossCorrelation: [{ rows: 1, columns: 1 }] }],
  ])('lets pass %s', (_, overrides) => {
    expect(overridesFault(base, overrides)).toBeNull();
  });

  it.each([
    ['a list in place of all', [], /no object/],
    ['null', null, /no object/],
    ['an unknown field', { unrol: 3 }, /unknown field "unrol"/],
    ['an unknown kernel', { workgroup: { matmull: 3 } }, /workgroup has an unknown field "matmull"/],
    ['a prototype', JSON.parse('{"__proto__":{"unroll":3}}'), /unknown field "__proto__"/],
    ['a constructor', { constructor: {} }, /unknown field "constructor"/],
    ['zero', { unroll: 0 }, /unroll is no whole number/],
    ['a fraction', { unroll: 1.5 }, /unroll is no whole number/],
    ['a text', { unroll: '8' }, /unroll is no whole number/],
    ['more than fits', { unroll: 2 ** 40 }, /unroll is no whole number/],
    ['an object for a number', { unroll: {} }, /unroll is no whole number/],
    ['an empty list', { crossCorrelation: [] }, /crossCorrelation is no list of 1/],
    [
      'a long list',
      { crossCorrelation: new Array(99).fill({ rows: 1, columns: 1 }) },
      /crossCorrelation is no list/,
    ],
    [
      'an entry that lacks a field',
      { crossCorrelation: [{ rows: 1 }] },
      /crossCorrelation\[0\] lacks columns/,
    ],
  ])('refuses %s', (_, overrides, message) => {
    expect(overridesFault(base, overrides)).toMatch(message);
  });
});

describe('a device', () => {
  const deviceOf = (name: DeviceClass): Device =>
    ({
      adapter: { name, kind: name === 'hardware' ? 'hardware' : 'software' },
      lanes: name === 'software' ? 4 : 8,
    }) as unknown as Device;

  it.each(classes)('has the table of its class (%s) until it is given another', (kind) => {
    const [device, other] = [deviceOf(kind), deviceOf(kind)];
    expect(tuningOf(device)).toBe(tuningFor(kind));
    useTuning(device, { unroll: 77 });
    expect(tuningOf(device)).toEqual({ ...tuningFor(kind), unroll: 77 });
    expect(overridesOf(device)).toEqual({ unroll: 77 });
    expect(tuningOf(other)).toBe(tuningFor(kind));
    useTuning(device, null);
    expect(tuningOf(device)).toBe(tuningFor(kind));
    expect(overridesOf(device)).toBeNull();
  });

  it('is not tuned by overrides that say nothing', () => {
    const device = deviceOf('hardware');
    useTuning(device, {});
    expect(overridesOf(device)).toBeNull();
  });
});

describe('the candidates', () => {
  const kinds = ['software', 'hardware'] as const;
  const all = Object.entries(tuningGroups).flatMap(([group, { candidates }]) =>
    kinds.flatMap((kind) =>
      Object.entries(candidates[kind]).map(([name, overrides]) => ({ group, kind, name, overrides })),
    ),
  );

  it.each(all)('$group, $kind, $name: names block sizes that there are', ({ kind, overrides }) => {
    expect(overridesFault(tuningFor(kind), overrides)).toBeNull();
    expect(Object.keys(overrides)).not.toEqual([]);
  });

  it('have for each group and class more than one, of which all are different', () => {
    for (const { candidates } of Object.values(tuningGroups)) {
      for (const kind of kinds) {
        const texts = Object.values(candidates[kind]).map((overrides) => JSON.stringify(overrides));
        expect(texts.length).toBeGreaterThan(1);
        expect(new Set(texts).size).toBe(texts.length);
      }
    }
  });
});
