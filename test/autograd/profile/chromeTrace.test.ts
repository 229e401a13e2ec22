import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toTrace } from '../../../src/autograd/profile/chromeTrace.js';
import { type Profile, summarise } from '../../../src/autograd/profile/profile.js';
import type { DispatchWork, Recording } from '../../../src/gpu/profiler.js';

const work = (kernel: string, floatingPointOperations: number): DispatchWork => ({
  kernel,
  operation: kernel,
  shape: 'f32[4]',
  fused: ['relu'],
  bytesRead: 600,
  bytesWritten: 400,
  floatingPointOperations,
});
const [product, copy] = [work('matmul', 8000), work('copy', 0)];

const recording: Recording = {
  method: 'timestamps',
  start: 100,
  duration: 10,
  timestampStep: 1,
  unmeasured: 0,
  dispatches: [
    { work: copy, start: 1, duration: 2 },
    { work: product, start: 2.5, duration: 4 },
    { work: copy, start: 7, duration: 1 },
  ],
  host: [
    { activity: 'encode', start: 0, duration: 0.25 },
    { activity: 'submit', start: 0.25, duration: 0.5 },
    { activity: 'wait', start: 1, duration: 8 },
    { activity: 'compile', start: 0.5, duration: 1 },
  ],
};
const peaks = { arithmeticRate: 4e6, memoryRate: 1e6 };
const made = (start: number): Profile =>
  summarise({ ...recording, start }, { name: 'made up', kind: 'software', bundled: false }, peaks);

/** What Perfetto's importer needs of the events that are used here. */
const whole = z.number().int().nonnegative();
const eventSchema = z.discriminatedUnion('ph', [
  z.object({
    ph: z.literal('X'),
    name: z.string().min(1),
    cat: z.string().min(1),
    ts: z.number().nonnegative(),
    dur: z.number().nonnegative(),
    pid: whole,
    tid: whole,
    args: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  z.object({
    ph: z.literal('M'),
    name: z.enum(['process_name', 'thread_name']),
    pid: whole,
    tid: whole,
    args: z.object({ name: z.string().min(1) }),
  }),
]);
const traceSchema = z.object({ displayTimeUnit: z.literal('ms'), traceEvents: z.array(eventSchema).min(1) });

describe('toTrace', () => {
  it('gives JSON with all fields that the viewers need, and a name for every track', () => {
    const { traceEvents } = traceSchema.parse(JSON.parse(JSON.stringify(toTrace(made(100)))));
    const track = ({ pid, tid }: { pid: number; tid: number }): string => `${pid}/${tid}`;
    const named = new Set(traceEvents.filter(({ name }) => name === 'thread_name').map(track));
    const used = new Set(traceEvents.filter(({ ph }) => ph === 'X').map(track));
    expect(used).toEqual(named);
    expect(traceEvents.filter(({ ph }) => ph === 'X')).toHaveLength(7);
  });

  it('gives times in microseconds, without overlaps on a track', () => {
    const { traceEvents } = toTrace(made(100));
    const onDevice = traceEvents.filter(({ cat }) => cat === 'device');
    expect(onDevice.map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
      ['copy', 1000, 2000],
      // Begun before the copy had ended; it is shown from there on.
      ['matmul', 3000, 3500],
      ['copy', 7000, 1000],
    ]);
    expect(onDevice[1]!.args).toEqual({ operation: 'matmul', shape: 'f32[4]', fused: 'relu' });
  });

  it('puts several profiles on one time axis, each a process of its own', () => {
    const { traceEvents } = toTrace({ first: made(100), second: made(150) });
    const processes = traceEvents.filter(({ name }) => name === 'process_name');
    expect(processes.map(({ pid, args }) => [pid, args.name])).toEqual([
      [1, 'first'],
      [2, 'second'],
    ]);
    const starts = traceEvents.filter(({ name }) => name === 'encode').map(({ pid, ts }) => [pid, ts]);
    expect(starts).toEqual([
      [1, 0],
      [2, 50_000],
    ]);
  });
});

describe('summarise', () => {
  it('gives rates, shares of the peaks and the nearer limit', () => {
    const { kernels, deviceTime, host } = made(0);
    expect(deviceTime).toBe(7);
    expect(kernels.map(({ kernel, count, time }) => [kernel, count, time])).toEqual([
      ['matmul', 1, 4],
      ['copy', 2, 3],
    ]);
    const [first, second] = kernels;
    expect(first).toMatchObject({
      arithmeticRate: 2e6,
      memoryRate: 250_000,
      limit: 'arithmetic',
      peakShare: 0.5,
    });
    expect(second).toMatchObject({ arithmeticRate: 0, limit: 'memory' });
    expect(second!.peakShare).toBeCloseTo(2000 / 0.003 / 1e6, 12);
    expect(host).toEqual({ encode: 0.25, submit: 0.5, write: 0, wait: 8, compile: 1 });
  });
});
