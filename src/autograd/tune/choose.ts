/** Which candidate of a group is taken. Pure: seconds in, a choice out. */

/** A candidate has to save so much of the time, else the table of the device's class stays: less is within the noise. */
export const LEAST_GAIN = 0.03;

/** Units that together take so much of a group's time are measured; the rest would hardly change the choice. */
const COVERAGE = 0.9;
/** Where the work is spread thinly over many units, so many of the heaviest stand for it. */
const MOST_UNITS = 8;

/** A candidate's seconds, or why it has none. */
export type CandidateTime = { readonly seconds: number } | { readonly failure: string };

/** A unit's share of the work. */
export interface Weighted {
  /** Launches. */
  readonly runs: number;
  /** Seconds of one. */
  readonly seconds: number;
}

/** Seconds of all launches together. */
export const totalSeconds = (parts: readonly Weighted[]): number =>
  parts.reduce((total, { runs, seconds }) => total + runs * seconds, 0);

/** The units that take most of the time, heaviest first, until they cover nearly all of it. */
export function heaviest<Unit extends Weighted>(
  units: readonly Unit[],
  { coverage = COVERAGE, most = MOST_UNITS } = {},
): Unit[] {
  const weightOf = ({ runs, seconds }: Unit): number => runs * seconds;
  const wanted = coverage * totalSeconds(units);
  const chosen: Unit[] = [];
  let covered = 0;
  for (const unit of [...units].sort((a, b) => weightOf(b) - weightOf(a))) {
    if (covered >= wanted || chosen.length === most) break;
    chosen.push(unit);
    covered += weightOf(unit);
  }
  return chosen;
}

/** The part of the time that is saved; negative where it takes longer. */
export const gainOf = (before: number, after: number): number => 1 - after / before;

/** The fastest candidate that saves enough; null where what is there stays. Of equal ones the first. */
export function chooseCandidate(
  before: number,
  candidates: ReadonlyMap<string, CandidateTime>,
): string | null {
  let best: string | null = null;
  let least = before * (1 - LEAST_GAIN);
  for (const [name, time] of candidates) {
    if ('seconds' in time && time.seconds < least) {
      best = name;
      least = time.seconds;
    }
  }
  return best;
}

/** Relative error of ‖got − want‖ that another order of float32 sums may bring. */
const ROUNDING = 1e-5;

/** Whether two results are the same within float32 rounding; whole numbers to the bit. */
export function agrees(got: Float32Array | Int32Array, want: Float32Array | Int32Array): boolean {
  if (got.length !== want.length) return false;
  if (want instanceof Int32Array) return want.every((value, k) => value === got[k]);
  let error = 0;
  let norm = 0;
  for (let k = 0; k < want.length; k++) {
    const [a, b] = [got[k]!, want[k]!];
    if (!Number.isFinite(a) || !Number.isFinite(b)) {
      if (Object.is(a, b)) continue;
      return false;
    }
    error += (a - b) ** 2;
    norm += b * b;
  }
  return error <= ROUNDING ** 2 * norm;
}
