import { describe, expect, it, vi } from 'vitest';
import { compile, type Plan } from '../../../src/autograd/compile/plan.js';
import { add, exp, mul, scale } from '../../../src/autograd/ops/elementwise.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { sum } from '../../../src/autograd/ops/reduce.js';
import { print } from '../../../src/autograd/print.js';
import { profile } from '../../../src/autograd/profile/profile.js';
import { f32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { Unroll } from '../../../src/autograd/unroll/unroll.js';
import type { Device } from '../../../src/gpu/device.js';
import type { TimingMethod } from '../../../src/gpu/profiler.js';
import { numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { plain, values } from '../../support/tinyUnroll.js';

const device = useDevice();
const [ROWS, INNER, COLUMNS] = [24, 40, 32];
const inputs = { a: numbers(1, 'a', ROWS * INNER), b: numbers(1, 'b', INNER * COLUMNS) };

/** A product, a fused chain and a sum, with the product carried over so that each replay goes on from the last. */
async function smallPlan(opened: Device): Promise<Plan> {
  const types = { a: f32(ROWS, INNER), b: f32(INNER, COLUMNS), state: f32(ROWS, COLUMNS) };
  const tape = trace(types, ({ a, b, state }) => {
    const next = add(scale(state, 0.5), matmul(a, b));
    return { next, loss: sum(exp(scale(mul(next, next), -0.01)), [1]) };
  });
  const plan = await compile(tape, opened, { label: 'small', carry: { next: 'state' } });
  plan.write('a', inputs.a);
  plan.write('b', inputs.b);
  plan.write('state', new Float32Array(ROWS * COLUMNS));
  return plan;
}

/** Writes, submits and reads in an order that matters; gives what was read. */
async function replayThrice(plan: Plan): Promise<Float32Array[]> {
  const scratch = inputs.a.slice();
  plan.submit();
  const early = plan.read('loss');
  plan.write('a', scratch);
  // What was written is what it was then, not what the host's memory becomes.
  scratch.fill(7);
  plan.submit();
  plan.submit();
  return [await early, await plan.read('loss'), await plan.read('next')];
}

const methods: readonly TimingMethod[] = ['timestamps', 'waiting'];

describe.each(methods)('a profile by %s', (method) => {
  it('names every dispatch, with times above zero, and what it moves and calculates', async () => {
    const opened = await device();
    const plan = await smallPlan(opened);
    const { steps } = plan.describe();
    const result = await profile(opened, () => replayThrice(plan), { method });
    plan.release();

    expect(result.method).toBe(method);
    expect(result.measured).toBe(3 * steps.length);
    expect(result.unmeasured).toBe(0);
    expect(result.deviceSpans).toHaveLength(result.measured);
    for (const [k, { kernel, start, duration }] of result.deviceSpans.entries()) {
      const step = steps[k % steps.length]!;
      const row = result.kernels[kernel]!;
      expect(row).toMatchObject({ kernel: step.kernel, operation: step.operation.name });
      expect(row.fused).toEqual(step.fused.map(({ name }) => name));
      expect(duration).toBeGreaterThan(0);
      expect(start).toBeLessThan(result.duration);
    }
    const product = result.kernels.find(({ kernel }) => kernel === 'matmul')!;
    const seconds = product.time / 1000;
    expect(product.count).toBe(3);
    expect(product.arithmeticRate * seconds).toBeCloseTo(3 * 2 * ROWS * INNER * COLUMNS, 0);
    const { bytesRead, bytesWritten } = steps.find(({ kernel }) => kernel === 'matmul')!;
    expect(bytesRead).toBe(4 * (ROWS * INNER + INNER * COLUMNS));
    expect(product.memoryRate * seconds).toBeCloseTo(3 * (bytesRead + bytesWritten), 0);
    expect(product.peakShare).toBeGreaterThan(0);
  });

  it('sums up: the costliest first, shares of the whole, the host beside the device', async () => {
    const opened = await device();
    const work = async (): Promise<void> => {
      const plan = await smallPlan(opened);
      await replayThrice(plan);
      plan.release();
    };
    const { kernels, deviceTime, duration, host, hostSpans, peaks } = await profile(opened, work, { method });
    const times = kernels.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(times.reduce((total, time) => total + time, 0)).toBeCloseTo(deviceTime, 9);
    expect(kernels.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1, 9);
    expect(peaks.arithmeticRate).toBeGreaterThan(0);
    expect(peaks.memoryRate).toBeGreaterThan(0);
    for (const time of Object.values(host)) {
      expect(time).toBeGreaterThan(0);
      expect(time).toBeLessThanOrEqual(duration);
    }
    expect(new Set(hostSpans.map(({ activity }) => activity))).toEqual(
      new Set(['compile', 'encode', 'submit', 'write', 'wait']),
    );
  });

  it('changes no bit, whatever is written, submitted and read in between', async () => {
    const opened = await device();
    const run = async (measured: boolean): Promise<Float32Array[]> => {
      const plan = await smallPlan(opened);
      let read: Float32Array[] = [];
      const work = async (): Promise<void> => {
        read = await replayThrice(plan);
      };
      if (measured) await profile(opened, work, { method });
      else await work();
      plan.release();
      return read;
    };
    const [alone, watched] = [await run(false), await run(true)];
    expect(alone[0]).not.toEqual(alone[1]);
    expect(watched).toEqual(alone);
  });

  it('changes no bit of a gradient through training', async () => {
    const opened = await device();
    const hypergradient = async (): Promise<(Float32Array | number)[]> => {
      const unroll = await Unroll.create({ ...plain, device: opened, batchSizes: [3, 2] });
      for (const [name, data] of Object.entries(values.inputs)) unroll.write(name, data);
      unroll.submit(values);
      const result = [
        await unroll.gradient('images'),
        await unroll.loss(),
        ...(await unroll.innerLosses()),
        await unroll.adjointAtStart(),
      ];
      unroll.release();
      return result;
    };
    const alone = await hypergradient();
    let watched: unknown;
    const { measured } = await profile(
      opened,
      async () => {
        watched = await hypergradient();
      },
      { method },
    );
    expect(watched).toEqual(alone);
    expect(measured).toBeGreaterThan(50);
  });

  it('measures whole replays until enough dispatches are measured, and counts the rest', async () => {
    const opened = await device();
    const plan = await smallPlan(opened);
    const count = plan.dispatchCount;
    const result = await profile(opened, () => replayThrice(plan), { method, maximumDispatches: count + 1 });
    plan.release();
    expect([result.measured, result.unmeasured]).toEqual([2 * count, count]);
    expect(print(result)).toContain(`${count} more ran unmeasured`);
  });

  it('hands on what the work throws, and leaves the device fit for another profile', async () => {
    const opened = await device();
    const plan = await smallPlan(opened);
    const failing = profile(
      opened,
      () => {
        plan.submit();
        throw new RangeError('of mine');
      },
      { method },
    );
    await expect(failing).rejects.toThrow(new RangeError('of mine'));
    const { measured } = await profile(opened, () => plan.submit(), { method });
    expect(measured).toBe(plan.dispatchCount);
    plan.release();
  });

  it('refuses a second profile at the same time', async () => {
    const opened = await device();
    await profile(
      opened,
      async () => {
        await expect(profile(opened, () => {})).rejects.toThrow(/being taken already/);
      },
      { method },
    );
  });
});

describe('a profile by timestamps', () => {
  it('leaves the device its signs of life while it works ahead', async () => {
    const opened = await device();
    const plan = await smallPlan(opened);
    const marks = vi.spyOn(opened.gpu.queue, 'onSubmittedWorkDone');
    try {
      await profile(opened, () => {
        marks.mockClear();
        for (let k = 0; k < 8; k++) plan.submit();
        expect(marks).toHaveBeenCalledTimes(2);
      });
    } finally {
      marks.mockRestore();
      plan.release();
    }
  });

  it('gives its queries back where they cannot be read', async () => {
    const opened = await device();
    const plan = await smallPlan(opened);
    const sets: GPUQuerySet[] = [];
    const destroyed: GPUQuerySet[] = [];
    const create = opened.gpu.createQuerySet.bind(opened.gpu);
    const making = vi.spyOn(opened.gpu, 'createQuerySet').mockImplementation((descriptor) => {
      const set = create(descriptor);
      const destroy = set.destroy.bind(set);
      set.destroy = () => {
        destroyed.push(set);
        destroy();
      };
      sets.push(set);
      return set;
    });
    const resolving = vi.spyOn(opened.gpu, 'createBuffer');
    try {
      const taken = profile(opened, () => {
        plan.submit();
        resolving.mockImplementation(() => {
          throw new Error('no buffer');
        });
      });
      await expect(taken).rejects.toThrow('no buffer');
      expect(sets).toHaveLength(1);
      expect(destroyed).toEqual(sets);
    } finally {
      making.mockRestore();
      resolving.mockRestore();
      plan.release();
    }
  });
});

it('refuses, while it waits for each dispatch, an encoder that it cannot cut', async () => {
  const opened = await device();
  const plan = await smallPlan(opened);
  const own = (): void => plan.encode(opened.gpu.createCommandEncoder());
  await expect(profile(opened, own, { method: 'waiting' })).rejects.toThrow(/device\.submit/);
  const { measured } = await profile(opened, own, { method: 'timestamps' });
  // Encoded, but never submitted.
  expect(measured).toBe(0);
  plan.release();
});

it('prints a table with the head that says how it was measured', async () => {
  const opened = await device();
  const plan = await smallPlan(opened);
  const result = await profile(opened, () => plan.submit());
  plan.release();
  const lines = print(result, { rows: 2 }).trimEnd().split('\n');
  expect(lines[0]).toContain(`in ${plan.dispatchCount} dispatches`);
  expect(lines[2]).toMatch(/timestamps, in steps of \d+ ns\.$/);
  const heading = lines.findIndex((line) => line.startsWith('kernel'));
  const rows = lines.slice(heading + 1);
  expect(rows).toHaveLength(3);
  expect(rows[2]).toMatch(/^and \d+ more rows?, \d+\.\d % together$/);
  const column = lines[heading]!.indexOf('operation ←');
  for (const row of rows.slice(0, 2)) expect(row.slice(column - 2, column + 1)).toMatch(/^ {2}\S$/);
});
