/** Numbers and findings in plain words. */
import {
  type HeldOutError,
  MKDT_ROW,
  RANDOM_SUBSET_ROW,
  type ResultRow,
  type RunDevice,
  type RunResult,
} from './types.js';

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

/** The accuracies of MKDT and of the random subset at the largest share of labels that both have. */
function headlineRows(rows: readonly ResultRow[]): { mkdt: ResultRow; random: ResultRow } | undefined {
  const named = (name: string) => rows.filter((row) => row.name === name);
  const pairs = named(MKDT_ROW).flatMap((mkdt) =>
    named(RANDOM_SUBSET_ROW)
      .filter((random) => random.labels === mkdt.labels)
      .map((random) => ({ mkdt, random })),
  );
  return pairs.sort((a, b) => b.mkdt.labels - a.mkdt.labels)[0];
}

/**
 * The result in one sentence: MKDT against the random subset at the largest share of labels, with the spread
 * over seeds; it says just as plainly when MKDT is worse, or when the spread hides the difference.
 */
export function headline(result: RunResult): string {
  const pair = headlineRows(result.rows);
  if (result.rows.length === 0 && result.heldOutError.length > 0)
    return 'The images have no labels: only the distance to the teacher is measured.';
  if (pair === undefined) {
    return `This run did not evaluate both ${MKDT_ROW} and a ${RANDOM_SUBSET_ROW}, so it has no comparison to make.`;
  }
  const { mkdt, random } = pair;
  const seeds = seedCount([mkdt, random]);
  const context = `With ${labelShare(mkdt.labels)} of the labels, an encoder pre-trained on the ${MKDT_ROW} set reaches ${accuracy(mkdt)}\u00a0% test accuracy`;
  const other = `${accuracy(random)}\u00a0% after a random subset of the same size (mean ± standard deviation ${seeds})`;
  const difference = mkdt.mean - random.mean;
  if (!Number.isFinite(difference)) return `${context}, against ${other}.`;
  const points = `${percent(Math.abs(difference))} percentage points`;
  const single = mkdt.seeds < 2 || random.seeds < 2;
  if (!single && Math.abs(difference) <= Math.hypot(mkdt.deviation, random.deviation)) {
    return `${context}, against ${other}: the difference of ${points} is within the spread between seeds.`;
  }
  const verdict = difference > 0 ? `${points} better` : `${points} worse`;
  const caution = single ? ', though one seed cannot show the spread' : '';
  return `${context}, against ${other}: ${verdict}${caution}.`;
}

/** The same comparison by equation (3), or undefined where the run did not measure both. */
export function heldOutSentence(result: RunResult): string | undefined {
  const mkdt = result.heldOutError.find((entry) => entry.name === MKDT_ROW);
  const random = result.heldOutError.find((entry) => entry.name === RANDOM_SUBSET_ROW);
  if (mkdt === undefined || random === undefined) return undefined;
  const [own, other] = errors([mkdt, random]);
  const difference = mkdt.mean - random.mean;
  const close = Math.abs(difference) <= Math.hypot(mkdt.deviation, random.deviation);
  const verdict = close
    ? 'no clear difference'
    : difference < 0
      ? 'closer to the teacher'
      : 'further from the teacher';
  return `The ${MKDT_ROW} encoder's squared distance to the teacher on held-out images is ${own}, against ${other} after the random subset: ${verdict}.`;
}
