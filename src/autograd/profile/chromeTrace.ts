/** Profiles in the format that Chrome's viewer (chrome://tracing) and Perfetto's (ui.perfetto.dev) open. */
import type { HostActivity, HostSpan } from '../../gpu/hostClock.js';
import type { Profile } from './profile.js';

/** An event of a trace: a stretch of time (`X`), or the name of a process or thread (`M`). */
export interface TraceEvent {
  /** What happened. */
  readonly name: string;
  /** Categories, by which viewers filter. */
  readonly cat: string;
  /** The kind of event. */
  readonly ph: 'X' | 'M';
  /** When it began, in microseconds. */
  readonly ts: number;
  /** How long it took, in microseconds. */
  readonly dur: number;
  /** The process, which viewers show as a group of tracks: one for each profile. */
  readonly pid: number;
  /** The thread, which viewers show as a track. */
  readonly tid: number;
  /** What viewers show of an event that is chosen. */
  readonly args: Readonly<Record<string, string | number>>;
}

/** A trace in the Chrome Trace Event Format; write it as JSON. */
export interface ChromeTrace {
  /** The unit that viewers show. */
  readonly displayTimeUnit: 'ms';
  /** The events, in the order of their tracks. */
  readonly traceEvents: readonly TraceEvent[];
}

/** Two times in milliseconds as a stretch of microseconds. Both ends are rounded to nanoseconds, so neighbours still meet. */
function stretch(begin: number, end: number): { ts: number; dur: number } {
  const [first, last] = [Math.round(begin * 1e6), Math.round(end * 1e6)];
  return { ts: first / 1e3, dur: (last - first) / 1e3 };
}

const tracks = { device: 1, host: 2, waiting: 3, compiling: 4 } as const;
const trackOf: Readonly<Record<HostActivity, number>> = {
  encode: tracks.host,
  submit: tracks.host,
  write: tracks.host,
  wait: tracks.waiting,
  compile: tracks.compiling,
};

/**
 * A trace with a track for the device, one for what the host does and two for what it waits for. Several profiles, by name, are
 * groups of tracks on one time axis.
 */
export function toTrace(profiles: Profile | Readonly<Record<string, Profile>>): ChromeTrace {
  const named = isProfile(profiles) ? [['hypergrad', profiles] as const] : Object.entries(profiles);
  const begin = Math.min(...named.map(([, { start }]) => start));
  return {
    displayTimeUnit: 'ms',
    traceEvents: named.flatMap(([name, profile], k) => eventsOf(name, profile, k + 1, profile.start - begin)),
  };
}

const isProfile = (value: Profile | Readonly<Record<string, Profile>>): value is Profile =>
  Array.isArray(value.kernels);

function eventsOf(name: string, profile: Profile, pid: number, offset: number): TraceEvent[] {
  const naming = (kind: 'process_name' | 'thread_name', tid: number, text: string): TraceEvent => ({
    name: kind,
    cat: '__metadata',
    ph: 'M',
    ts: 0,
    dur: 0,
    pid,
    tid,
    args: { name: text },
  });
  const host = ({ activity, start, duration }: HostSpan): TraceEvent => ({
    name: activity,
    cat: 'host',
    ph: 'X',
    ...stretch(offset + start, offset + start + duration),
    pid,
    tid: trackOf[activity],
    args: {},
  });
  return [
    naming('process_name', 0, name),
    naming('thread_name', tracks.device, profile.device.name),
    naming('thread_name', tracks.host, 'host'),
    naming('thread_name', tracks.waiting, 'host waits for results'),
    naming('thread_name', tracks.compiling, 'host waits for kernels'),
    ...deviceEvents(profile, pid, offset),
    ...profile.hostSpans.map(host),
  ];
}

/** A device may begin a dispatch before the one before has ended; viewers want no overlaps on a track, so it is cut. */
function deviceEvents({ kernels, deviceSpans }: Profile, pid: number, offset: number): TraceEvent[] {
  // The device's clock is set against the host's only roughly, and nothing is before the start.
  let free = -offset;
  return deviceSpans.map(({ kernel, start, duration }) => {
    const row = kernels[kernel]!;
    const begin = Math.max(free, start);
    const end = Math.max(begin, start + duration);
    free = end;
    return {
      name: row.kernel,
      cat: 'device',
      ph: 'X',
      ...stretch(offset + begin, offset + end),
      pid,
      tid: tracks.device,
      args: { operation: row.operation, shape: row.shape, fused: row.fused.join(', ') },
    };
  });
}
