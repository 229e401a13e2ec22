import { describe, expect, it } from 'vitest';
import { add, mul } from '../../../src/autograd/ops/elementwise.js';
import { gather } from '../../../src/autograd/ops/gather.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { f32, i32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { measureUnit, median } from '../../../src/autograd/tune/measure.js';
import { tuneDevice } from '../../../src/autograd/tune/tuneDevice.js';
import { tuningFor } from '../../../src/kernels/catalogue.js';
import { mergeTuning, overridesFault, overridesOf } from '../../../src/kernels/deviceTuning.js';
import type { TuningGroup } from '../../../src/kernels/tuningCandidates.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();

const tape = trace({ a: f32(24, 31), b: f32(31, 17), table: f32(5, 17), rows: i32(24) }, (inputs) => ({
  y: add(mul(matmul(inputs.a, inputs.b), gather(inputs.table, inputs.rows)), matmul(inputs.a, inputs.b)),
}));
const tapes = [{ name: 'made', tape, runs: 3 }];

const groupOf = (
  kernels: TuningGroup['kernels'],
  candidates: TuningGroup['candidates']['software'],
): TuningGroup => ({ kernels, candidates: { software: candidates, hardware: candidates } });

describe('tuning a device', () => {
  it('says for each group what was taken, with both times, and gives what fits the table', async () => {
    const opened = await device();
    const told: string[] = [];
    const { choices, overrides } = await tuneDevice(opened, tapes, {
      rounds: 3,
      groups: {
        products: groupOf(['matmul'], { small: { matmulBlock: { rows: 1, columns: 1 } } }),
        chains: groupOf(['elementwise'], {
          '1 item': { elementwiseItems: 1 },
          '2 items': { elementwiseItems: 2 },
        }),
      },
      progress: (what) => told.push(what),
    });
    expect(choices.map(({ group }) => group)).toEqual(['products', 'chains']);
    for (const { candidate, before, after, failures } of choices) {
      expect(before).toBeGreaterThan(0);
      if (candidate === null) expect(after).toBe(before);
      else expect(after).toBeLessThan(before);
      expect(failures).toEqual({});
    }
    expect(overridesFault(tuningFor(opened.adapter.kind), overrides)).toBeNull();
    expect(Object.keys(overrides)).toHaveLength(choices.filter(({ candidate }) => candidate !== null).length);
    expect(overridesOf(opened)).toBeNull();
    expect(told[0]).toMatch(/3 kinds of launches in made/);
    expect(told.slice(1)).toEqual([
      'products: 1 kind of launches, 1 candidates',
      'chains: 1 kind of launches, 2 candidates',
    ]);
  });

  it('leaves out a candidate that the device refuses, says why, and goes on', async () => {
    const { choices, overrides } = await tuneDevice(await device(), tapes, {
      rounds: 1,
      groups: { chains: groupOf(['elementwise'], { 'too many': { workgroup: { elementwise: 1_000_000 } } }) },
    });
    expect(choices[0]).toMatchObject({ group: 'chains', candidate: null });
    expect(choices[0]!.failures['too many']).toMatch(/elementwise/);
    expect(overrides).toEqual({});
    // The device is none the worse for it.
    const opened = await device();
    await opened.settle();
  });

  it('measures nothing where no candidate launches anything else', async () => {
    const { choices } = await tuneDevice(await device(), tapes, {
      rounds: 1,
      groups: {
        pooling: groupOf(['avgPool', 'matmul'], { few: { poolTerms: 1 } }),
        none: groupOf(['conv2d'], { few: { conv2d: { pixels: 1 } } }),
      },
    });
    expect(choices).toEqual([
      { group: 'pooling', candidate: null, before: 0, after: 0, failures: {} },
      { group: 'none', candidate: null, before: 0, after: 0, failures: {} },
    ]);
  });
});

describe('a unit’s time', () => {
  it('is measured for every variant that computes the same', async () => {
    const opened = await device();
    const table = tuningFor(opened.adapter.kind);
    const product = trace({ operand0: f32(9, 300), operand1: f32(300, 7) }, ({ operand0, operand1 }) => ({
      result: matmul(operand0, operand1),
    }));
    const variants = new Map([
      ['table', table],
      ['other order', mergeTuning(table, { parallelism: 1000, matmulBlock: { rows: 2, columns: 2 } })],
    ]);
    const times = await measureUnit(opened, product, variants, 2);
    expect([...times.keys()]).toEqual(['table', 'other order']);
    for (const time of times.values()) expect(time).toEqual({ seconds: expect.any(Number) });
  });

  it('is the median of its samples', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });
});
