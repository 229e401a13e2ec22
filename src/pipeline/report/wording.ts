/** Numbers and findings in plain words. */
import { type Difference, meanDifference, pairwise, signOf } from '../evaluate/differences.js';
import type { EvaluationTable } from '../evaluate/record.js';
import { MKDT_ROW, RANDOM_SUBSET_ROW } from '../evaluate/rowNames.js';
import type { HeldOutError, ResultRow, RunDevice, RunResult } from './types.js';

/** So many of a thing: `1 job`, `2 jobs`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const NOT_FINITE = 'not finite';

/** A share as a percentage with the given decimals, without its sign: 0.825 → `82.5`. */
function percent(share: number, decimals = 1): string {
  return Number.isFinite(share) ? (100 * share).toFixed(decimals) : NOT_FINITE;
}

/** A figure and its spread, which no line break parts. */
function spread(mean: string, deviation: string): string {
  return `${mean}\u00a0±\u00a0${deviation}`;
}

/** A difference of shares in percentage points, with a proper minus: −0.012 → `−1.2`. */
export function percentagePoints(difference: number): string {
  return percent(difference)
    .replace(/^-0\.0$/, '0.0')
    .replace(/^-/, '−');
}

/** `+4.2 ± 1.0`, in percentage points; without a spread where there is none. */
export function difference({ mean, deviationOfMean }: Difference): string {
  const sign = mean > 0 && percentagePoints(mean) !== '0.0' ? '+' : '';
  const figure = `${sign}${percentagePoints(mean)}`;
  return deviationOfMean === null ? figure : spread(figure, percent(deviationOfMean));
}

/** `82.5 ± 0.9`, in per cent. */
export function accuracy(row: Pick<ResultRow, 'mean' | 'deviation'>): string {
  return spread(percent(row.mean), percent(row.deviation));
}

/** Errors with their spread, all to the decimals that give the smallest one three significant digits. */
export function errors(entries: readonly Pick<HeldOutError, 'mean' | 'deviation'>[]): string[] {
  const sizes = entries.map(({ mean }) => Math.abs(mean)).filter((mean) => mean > 0 && mean < Infinity);
  const smallest = sizes.length === 0 ? 1 : Math.min(...sizes);
  const decimals = Math.min(Math.max(2 - Math.floor(Math.log10(smallest)), 0), 6);
  const fixed = (value: number) => (Number.isFinite(value) ? value.toFixed(decimals) : NOT_FINITE);
  return entries.map(({ mean, deviation }) => spread(fixed(mean), fixed(deviation)));
}

/** A share of the labels: 0.01 → `1 %`, 0.005 → `0.5 %`. */
export function labelShare(labels: number): string {
  return `${Number((100 * labels).toPrecision(3))}\u00a0%`;
}

/** Three significant digits. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return NOT_FINITE;
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(3)));
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOT_FINITE;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60) % 60;
  if (whole < 3600) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${minutes} min`;
}

const HOUR = 3600;
/** From here on days say more than hours. */
const LONG = 48 * HOUR;

/** From milliseconds to days. */
export function longDuration(seconds: number): string {
  if (seconds < 1) return `${Number((1000 * seconds).toPrecision(3))} ms`;
  if (seconds < LONG) return duration(seconds);
  const hours = Math.round(seconds / HOUR);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The device in words; a software device is always called one. */
export function deviceName(device: RunDevice): string {
  if (device.kind === 'hardware') return device.name;
  return `${device.name}, a software device${device.bundled ? ' (the bundled one)' : ''}`;
}

/** `over 5 seeds`, or each row's own count where they differ. */
export function seedCount(rows: readonly ResultRow[]): string {
  const counts = [...new Set(rows.map((row) => row.seeds))].sort((a, b) => a - b);
  if (counts.length === 1) return counts[0] === 1 ? 'from one seed' : `over ${counts[0]} seeds`;
  return `over ${counts.join(' or ')} seeds`;
}

/** MKDT against the random subset by equation (3), paired by seed; undefined where the run did not measure both. */
export function heldOutSentence(
  { heldOutError }: Pick<RunResult, 'heldOutError'>,
  { heldOut }: Pick<EvaluationTable, 'heldOut'>,
): string | undefined {
  const rows = [MKDT_ROW, RANDOM_SUBSET_ROW];
  const summaries = rows.flatMap((row) => heldOutError.find(({ name }) => name === row) ?? []);
  const [own, other] = rows.flatMap((row) => heldOut.find(({ name }) => name === row) ?? []);
  if (summaries.length < rows.length || own === undefined || other === undefined) return undefined;
  const difference = meanDifference(pairwise(own.errors, other.errors));
  const sign = signOf(difference);
  const direction = difference.mean < 0 ? 'closer to the teacher' : 'further from the teacher';
  const verdict =
    sign === null
      ? `${direction}, though one seed cannot show the spread`
      : sign === 0
        ? 'no clear difference'
        : direction;
  const [ownText, otherText] = errors(summaries);
  return `The ${MKDT_ROW} encoder's squared distance to the teacher on held-out images is ${ownText}, against ${otherText} after the random subset: ${verdict}.`;
}
