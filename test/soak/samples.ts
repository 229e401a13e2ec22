/** What is seen of a process that works for long, and whether it stays as it was: its rate, and its memory. */
import { linearRegression, median } from 'simple-statistics';

const MEBIBYTE = 2 ** 20;

/** Bytes of a process and of its device at a moment, garbage collected before. */
export interface Memory {
  /** Resident memory of the process; a software device's is part of it. */
  readonly resident: number;
  readonly heap: number;
  /** Outside of the heap, array buffers among it. */
  readonly external: number;
  readonly device: number;
}

/** The process at a moment. */
export interface Sample extends Memory {
  /** Since the work began. */
  readonly seconds: number;
  /** Iterations done since then. */
  readonly iterations: number;
  /** Seconds of all cores that the process has used since then. */
  readonly processorSeconds: number;
}

/** Sorts of memory in the order of the table. */
export const memoryNames = [
  'resident',
  'heap',
  'external',
  'device',
] as const satisfies readonly (keyof Memory)[];

/** Most MiB that each may have grown by at the end, along the line through the samples. Device memory may not grow at all. */
export const MOST_GROWTH: Readonly<Record<keyof Memory, number>> = {
  resident: 32,
  heap: 4,
  external: 4,
  device: 0,
};

/** The last window's rate may differ from the first's by this share. */
export const MOST_CHANGE = 0.05;
/** Share of the time in which caches fill and code is compiled: it is left out. */
const WARM_UP = 0.1;
const WINDOWS = 10;

/** Part of the time. */
export interface Window {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly iterationsPerSecond: number;
  readonly processorSecondsPerIteration: number;
}

/** One sort of memory, in MiB. */
export interface Growth {
  readonly first: number;
  readonly last: number;
  readonly most: number;
  /** Slope of the line through the samples times the time between the first and the last. */
  readonly growth: number;
}

export interface Soaked {
  readonly windows: readonly Window[];
  readonly memory: Readonly<Record<keyof Memory, Growth>>;
  /** The last window's rate over the first's, less 1. */
  readonly change: number;
}

function growthOf(samples: readonly Sample[], name: keyof Memory): Growth {
  const values = samples.map((sample) => sample[name] / MEBIBYTE);
  const { m } = linearRegression(samples.map(({ seconds }, k) => [seconds, values[k]!]));
  const few = Math.max(1, Math.floor(values.length / WINDOWS));
  return {
    first: median(values.slice(0, few)),
    last: median(values.slice(-few)),
    most: Math.max(...values),
    growth: m * (samples.at(-1)!.seconds - samples[0]!.seconds),
  };
}

const minBy = <T>(values: readonly T[], of: (value: T) => number): T =>
  values.reduce((least, value) => (of(value) < of(least) ? value : least));

/** Windows of about equal times, and the growth of memory. The samples are to lie closer than half a window. */
export function summarise(all: readonly Sample[]): Soaked {
  const samples = all.slice(Math.floor(all.length * WARM_UP));
  const [begin, end] = [samples[0]!.seconds, samples.at(-1)!.seconds];
  /** The sample that is nearest to a window's begin. */
  const at = (window: number): Sample => {
    const time = begin + ((end - begin) * window) / WINDOWS;
    return minBy(samples, ({ seconds }) => Math.abs(seconds - time));
  };
  const windows = Array.from({ length: WINDOWS }, (_, k): Window => {
    const [from, to] = [at(k), at(k + 1)];
    const iterations = to.iterations - from.iterations;
    return {
      fromSeconds: from.seconds,
      toSeconds: to.seconds,
      iterationsPerSecond: iterations / (to.seconds - from.seconds),
      processorSecondsPerIteration: (to.processorSeconds - from.processorSeconds) / iterations,
    };
  });
  return {
    windows,
    memory: {
      resident: growthOf(samples, 'resident'),
      heap: growthOf(samples, 'heap'),
      external: growthOf(samples, 'external'),
      device: growthOf(samples, 'device'),
    },
    change: windows.at(-1)!.iterationsPerSecond / windows[0]!.iterationsPerSecond - 1,
  };
}

/** What of the memory is not flat, a sentence each. */
export function memoryFaults({ memory }: Pick<Soaked, 'memory'>): string[] {
  return (
    memoryNames
      // NaN is no growth that was held to its bound.
      .filter((name) => !(memory[name].growth <= MOST_GROWTH[name]))
      .map(
        (name) =>
          `The ${name} memory grew by ${memory[name].growth.toFixed(2)} MiB, more than ${MOST_GROWTH[name]} MiB.`,
      )
  );
}

/** The sentence of a rate that did not hold; none where it did. */
export function rateFaults({ change }: Pick<Soaked, 'change'>): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  if (Number.isNaN(change))
    return ['The rate cannot be told: nothing was done in the first window or the last.'];
  return Math.abs(change) <= MOST_CHANGE
    ? []
    : [
        `The rate changed by ${percent(change)} from the first window to the last, more than ${percent(MOST_CHANGE)}.`,
      ];
}

const tableRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Both tables in Markdown. */
export function toMarkdown({ windows, memory, change }: Soaked): string {
  const windowRows = windows.map(
    ({ fromSeconds, toSeconds, iterationsPerSecond, processorSecondsPerIteration }) =>
      tableRow([
        `${fromSeconds.toFixed(0)} – ${toSeconds.toFixed(0)}`,
        iterationsPerSecond.toFixed(3),
        processorSecondsPerIteration.toFixed(3),
      ]),
  );
  const memoryRows = memoryNames.map((name) => {
    const { first, last, most, growth } = memory[name];
    return tableRow([
      name,
      ...[first, last, most, growth, MOST_GROWTH[name]].map((value) => value.toFixed(2)),
    ]);
  });
  return [
    tableRow(['seconds', 'iterations a second', 'processor seconds an iteration']),
    tableRow(['---', '---', '---']),
    ...windowRows,
    '',
    `Rate, last window against first: ${change >= 0 ? '+' : ''}${(100 * change).toFixed(2)} % (bound ±${100 * MOST_CHANGE} %)`,
    '',
    tableRow(['memory, MiB', 'first', 'last', 'most', 'growth along the line', 'bound']),
    tableRow(['---', '---', '---', '---', '---', '---']),
    ...memoryRows,
  ].join('\n');
}
