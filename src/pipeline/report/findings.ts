/** What a run found, in sentences and in the figures that go with them. */
import { bestBaselines, type RowDifference, signOf } from '../evaluate/differences.js';
import type { EvaluationTable } from '../evaluate/record.js';
import { MKDT_ROW } from '../evaluate/rowNames.js';
import type { ResultRow, RunResult } from './types.js';
import * as wording from './wording.js';

/** MKDT at one share of the labels, and the best of its baselines there. */
export interface Finding {
  readonly mkdt: ResultRow;
  readonly baseline: ResultRow;
  /** Paired by seed. */
  readonly difference: RowDifference;
}

/** A finding for each share of the labels, the smallest first; none where MKDT or every baseline is missing. */
export function findingsOf(
  { rows }: Pick<RunResult, 'rows'>,
  evaluation: Pick<EvaluationTable, 'rows'>,
): Finding[] {
  return bestBaselines(evaluation).flatMap((difference) => {
    const rowOf = (wanted: string): ResultRow | undefined =>
      rows.find(({ name, labels }) => name === wanted && labels === difference.labels);
    const [mkdt, baseline] = [rowOf(MKDT_ROW), rowOf(difference.against)];
    return mkdt === undefined || baseline === undefined ? [] : [{ mkdt, baseline, difference }];
  });
}

/** What the difference says, after "Seed by seed it is". */
function verdict({ difference }: Finding): string {
  const { mean, deviationOfMean, n } = difference;
  const points = wording.difference({ ...difference, mean: Math.abs(mean) }).replace(/^\+/, '');
  const sign = signOf(difference);
  const direction = mean < 0 ? 'worse' : 'better';
  if (sign === null || deviationOfMean === null) {
    return `It is ${points} percentage points ${direction}, though one seed cannot show the spread.`;
  }
  const measured = `(mean paired difference ± deviation of the mean, n\u00a0=\u00a0${n})`;
  if (sign !== 0) return `Seed by seed it is ${points} percentage points ${direction} ${measured}.`;
  return `Seed by seed the difference is ${wording.difference(difference)} percentage points ${measured}: no more than twice its deviation, so no clear difference.`;
}

function sentence(finding: Finding): string {
  const { mkdt, baseline } = finding;
  const context = `With ${wording.labelShare(mkdt.labels)} of the labels, an encoder pre-trained on the ${MKDT_ROW} set reaches ${wording.accuracy(mkdt)}\u00a0% test accuracy`;
  const other = `${wording.accuracy(baseline)}\u00a0% of the best baseline, the ${baseline.name} (mean ± standard deviation ${wording.seedCount([mkdt, baseline])})`;
  return `${context}, against ${other}. ${verdict(finding)}`;
}

/**
 * The result in sentences, the first at the largest share of labels: MKDT against the best of the rows that saw no more images,
 * paired by seed, and their distance to the teacher. It says just as plainly when MKDT is worse, or when the spread hides the difference.
 */
export function headline(
  result: RunResult,
  evaluation: Pick<EvaluationTable, 'heldOut'>,
  findings: readonly Finding[],
): string[] {
  const last = findings.at(-1);
  const heldOut = wording.heldOutSentence(result, evaluation);
  const distance = heldOut === undefined ? [] : [heldOut];
  if (last !== undefined) return [sentence(last), ...distance];
  if (result.rows.length === 0 && result.heldOutError.length > 0) {
    return ['The images have no labels: only the distance to the teacher is measured.', ...distance];
  }
  return [
    `This run did not evaluate both ${MKDT_ROW} and a baseline of its size, so it has no comparison to make.`,
    ...distance,
  ];
}
