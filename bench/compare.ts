/** One case on our side and on every peer's: first the numbers, then the times. */
import { relativeError } from '../src/pipeline/gradcheck/compare.js';
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

/** Relative differences of vectors, up to which two sides give the same numbers, by suite. */
export const tolerances = {
  /** Sums in another order differ in the last digits; anything else is another function. */
  kernels: 1e-5,
  /** A gradient is a long way of sums; two right ones differ by about 1e-6. */
  step: 1e-4,
  /** Second derivatives of a trajectory differ more than first ones: still the same function to three digits. */
  hypergradient: 1e-3,
} as const;

/** The name under which our own side is measured. */
const OURS = 'hypergrad';

/** The largest relative difference over all results, and where it is. */
function largestDifference(theirs: Results, ours: Results): { name: string; difference: number } {
  let largest = { name: '', difference: 0 };
  for (const [name, values] of Object.entries(ours)) {
    const error = relativeError(theirs[name] ?? [], values);
    // Numbers that are no numbers agree with nothing.
    const difference = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
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
