/** One case on our side and on every peer's: first the numbers, then the times. */
import { type AbsentPeer, type Contender, type Form, reasonOf } from './contender.js';
import { type Measured, measureInTurn, type Outcome } from './measure.js';
import { type ComparisonRow, figure, rowWithout, type Subject } from './rows.js';

/** How a suite measures. */
export interface Settings {
  /** Samples of each contender. */
  readonly rounds: number;
}

/** A peer's ways of doing a case, the one to be preferred first. */
export interface Competitor {
  readonly name: string;
  readonly forms: readonly Form[];
}

type Results = Readonly<Record<string, Float32Array>>;

/** The name under which our own side is measured. */
const OURS = 'hypergrad';

/** ‖a − b‖ / ‖b‖. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  // Numbers that are no numbers agree with nothing.
  const relative = Math.sqrt(difference / size);
  return Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative;
}

/** The largest relative difference over all results, and where it is. */
export function largestDifference(theirs: Results, ours: Results): { name: string; difference: number } {
  let largest = { name: '', difference: 0 };
  for (const [name, values] of Object.entries(ours)) {
    const difference = relativeDifference(theirs[name] ?? new Float32Array(), values);
    if (difference >= largest.difference) largest = { name, difference };
  }
  return largest;
}

type Candidate = { readonly contender: Contender; readonly difference: number } | { readonly why: string };

/** The first form that works and gives our numbers, else why there is none. */
async function findRight(forms: readonly Form[], ours: Results, tolerance: number): Promise<Candidate> {
  const reasons: string[] = [];
  for (const form of forms) {
    let contender: Contender | undefined;
    try {
      contender = await form();
      const { name, difference } = largestDifference(await contender.results(), ours);
      if (difference <= tolerance) return { contender, difference };
      reasons.push(`its '${name}' differs from ours by ${figure(difference)} of its size, over ${tolerance}`);
    } catch (error) {
      reasons.push(reasonOf(error));
    }
    await contender?.release();
  }
  return { why: reasons.join('; ') };
}

const isMeasured = (outcome: Outcome): outcome is Measured => 'medianMs' in outcome;

/**
 * Holds every competitor's numbers to ours, measures those that agree in turn with ours, and makes a row for each.
 *
 * @param tolerance largest relative difference of a result that still counts as the same numbers
 * @throws Error when our own side fails.
 */
export async function compare(
  subject: Subject,
  ours: Contender,
  competitors: readonly (Competitor | AbsentPeer)[],
  { rounds, tolerance }: Settings & { readonly tolerance: number },
): Promise<{ readonly rows: ComparisonRow[]; readonly ours: Measured }> {
  const expected = await ours.results();
  const candidates = new Map<string, Candidate>();
  for (const each of competitors) {
    candidates.set(
      each.name,
      'why' in each ? { why: each.why } : await findRight(each.forms, expected, tolerance),
    );
  }
  const contenders = new Map([[OURS, ours]]);
  for (const [name, candidate] of candidates) {
    if ('contender' in candidate) contenders.set(name, candidate.contender);
  }
  const outcomes = await measureInTurn(`${subject.suite}: ${subject.case}`, contenders, rounds);
  for (const [name, contender] of contenders) if (name !== OURS) await contender.release();
  const own = outcomes.get(OURS)!;
  if (!isMeasured(own)) throw new Error(`${subject.case}: our own side failed: ${own.why}`);
  const rows = [...candidates].map(([peer, candidate]): ComparisonRow => {
    if ('why' in candidate) return rowWithout(subject, peer, candidate.why, own);
    const outcome = outcomes.get(peer)!;
    if (!isMeasured(outcome)) return rowWithout(subject, peer, outcome.why, own);
    return {
      ...subject,
      peer,
      oursMs: own.medianMs,
      peerMs: outcome.medianMs,
      ratio: outcome.medianMs / own.medianMs,
      oursSpreadMs: own.spreadMs,
      peerSpreadMs: outcome.spreadMs,
      difference: candidate.difference,
    };
  });
  return { rows, ours: own };
}
