/** Where the time of some work on a device goes, as plain data: by kernel, operation and shape, beside the host's time. */
import type { AdapterDescription, Device } from '../../gpu/device.js';
import type { HostSpan } from '../../gpu/hostClock.js';
import {
  type DispatchWork,
  type ProfileOptions,
  Profiler,
  type Recording,
  type TimingMethod,
} from '../../gpu/profiler.js';
import { type DevicePeaks, measurePeaks } from '../../kernels/peaks.js';

/** All dispatches of one kernel for the same operation, shape and fused operations. */
export interface KernelProfile {
  /** Name of the kernel. */
  readonly kernel: string;
  /** Name of the operation that it works for. */
  readonly operation: string;
  /** Type and shape of that operation's result, such as `f32[20,64]`. */
  readonly shape: string;
  /** Names of the operations computed on the way. */
  readonly fused: readonly string[];
  /** Number of dispatches. */
  readonly count: number;
  /** Milliseconds on the device, all dispatches together. */
  readonly time: number;
  /** That as a share (0 … 1) of all that was measured. */
  readonly share: number;
  /** Floating-point operations a second; 0 for what only moves or draws numbers. */
  readonly arithmeticRate: number;
  /** Bytes a second, read and written, each tensor counted once however often it is read. */
  readonly memoryRate: number;
  /**
   * The greater of the two rates' shares of the device's peaks: how near the kernel is to what the device can do. Data that
   * stays in a cache may take it above 1.
   */
  readonly peakShare: number;
  /** Which of the two rates is nearer to its peak. */
  readonly limit: 'arithmetic' | 'memory';
}

/** One dispatch as it ran. */
export interface DeviceSpan {
  /** Place in the profile's `kernels`. */
  readonly kernel: number;
  /** Milliseconds since the profile's start. */
  readonly start: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** What the host spent, in milliseconds. The rest of the time it did other things than to serve the device. */
export interface HostTimes {
  /** Recording commands. */
  readonly encode: number;
  /** Handing them to the queue. */
  readonly submit: number;
  /** Writing to device memory. */
  readonly write: number;
  /** Waiting for results. */
  readonly wait: number;
  /** Waiting for kernels to be compiled. */
  readonly compile: number;
}

/** Where the time of some work on a device went; `print` makes a table of it, `toTrace` a picture. */
export interface Profile {
  /** What computed. */
  readonly device: AdapterDescription;
  /** How dispatches were measured. */
  readonly method: TimingMethod;
  /** Step of the device's timestamps in nanoseconds; null where there were none. */
  readonly timestampStep: number | null;
  /** Milliseconds of the host's clock (`performance.now()`) when it began. */
  readonly start: number;
  /** Milliseconds from the start until all work was done. */
  readonly duration: number;
  /** Milliseconds that the measured dispatches took on the device, together. */
  readonly deviceTime: number;
  /** Number of dispatches measured. */
  readonly measured: number;
  /** Number of further dispatches that ran unmeasured. */
  readonly unmeasured: number;
  /** The host's part. */
  readonly host: HostTimes;
  /** The most that the device was seen to do. */
  readonly peaks: DevicePeaks;
  /** The kernels that ran, the costliest first. */
  readonly kernels: readonly KernelProfile[];
  /** Every measured dispatch, in order. */
  readonly deviceSpans: readonly DeviceSpan[];
  /** The host's activities. */
  readonly hostSpans: readonly HostSpan[];
}

/**
 * Runs `work` and tells where its time went. The same dispatches run in the same order as without, so every result has
 * the same bits; but each is a pass of its own, which takes longer. Work that goes past plans and `device.submit`, straight
 * to `device.gpu`, is not seen; with the method `waiting` it may also run too early.
 *
 * @throws DeviceError when a profile of this device is being taken already, or the method needs timestamps that the device
 *   does not have; and whatever `work` throws.
 */
export async function profile(
  device: Device,
  work: () => unknown,
  options: ProfileOptions = {},
): Promise<Profile> {
  const profiler = await device.startProfiling((profiled) => Profiler.start(profiled, options));
  try {
    await work();
  } catch (error) {
    await profiler.finish().catch(() => undefined);
    throw error;
  }
  const recording = await profiler.finish();
  return summarise(recording, device.adapter, await measurePeaks(device));
}

interface Group {
  readonly work: DispatchWork;
  readonly durations: number[];
}

/** Sums up a recording. Pure. */
export function summarise(recording: Recording, device: AdapterDescription, peaks: DevicePeaks): Profile {
  const groups = new Map<string, Group>();
  const keys = new Map<DispatchWork, string>();
  for (const { work, duration } of recording.dispatches) {
    const key = keys.get(work) ?? keyOf(work);
    keys.set(work, key);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { work, durations: [duration] });
    else group.durations.push(duration);
  }
  const deviceTime = total(recording.dispatches.map(({ duration }) => duration));
  const ranked = [...groups]
    .map(([key, group]) => ({ key, row: summariseGroup(group, deviceTime, peaks) }))
    .sort((a, b) => b.row.time - a.row.time);
  const places = new Map(ranked.map(({ key }, place) => [key, place]));
  const hostTime = (activity: HostSpan['activity']): number =>
    total(recording.host.filter((span) => span.activity === activity).map(({ duration }) => duration));
  return {
    device,
    method: recording.method,
    timestampStep: recording.timestampStep,
    start: recording.start,
    duration: recording.duration,
    deviceTime,
    measured: recording.dispatches.length,
    unmeasured: recording.unmeasured,
    host: {
      encode: hostTime('encode'),
      submit: hostTime('submit'),
      write: hostTime('write'),
      wait: hostTime('wait'),
      compile: hostTime('compile'),
    },
    peaks,
    kernels: ranked.map(({ row }) => row),
    deviceSpans: recording.dispatches.map(({ work, start, duration }) => ({
      kernel: places.get(keys.get(work)!)!,
      start,
      duration,
    })),
    hostSpans: recording.host,
  };
}

/** Dispatches are one row where all of this agrees: of an operation with several passes, each pass has its own. */
const keyOf = (work: DispatchWork): string => JSON.stringify(Object.values(work));

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

function summariseGroup({ work, durations }: Group, deviceTime: number, peaks: DevicePeaks): KernelProfile {
  const { kernel, operation, shape, fused, bytesRead, bytesWritten, floatingPointOperations } = work;
  const time = total(durations);
  const rate = (each: number): number => (time > 0 ? (each * durations.length * 1000) / time : 0);
  const arithmeticRate = rate(floatingPointOperations);
  const memoryRate = rate(bytesRead + bytesWritten);
  const [arithmetic, memory] = [arithmeticRate / peaks.arithmeticRate, memoryRate / peaks.memoryRate];
  return {
    kernel,
    operation,
    shape,
    fused,
    count: durations.length,
    time,
    share: deviceTime > 0 ? time / deviceTime : 0,
    arithmeticRate,
    memoryRate,
    peakShare: Math.max(arithmetic, memory),
    limit: arithmetic > memory ? 'arithmetic' : 'memory',
  };
}
