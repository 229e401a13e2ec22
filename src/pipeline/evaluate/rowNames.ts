/** What an evaluation's rows are called, and which are compared with which. `rows.ts` says how each comes about. */
import type { EvaluationRow } from '../config/sections/evaluate.js';

/** What is known of a row without making it. */
interface RowFacts {
  /** What tables and evaluation.json call it. */
  readonly name: string;
  /** Whether its encoders saw no more images than the distilled set holds: the distilled set has to be better. */
  readonly isBaseline: boolean;
  /** Whether its students regress targets on as many images as the synthetic set has. */
  readonly isSmallSet: boolean;
}

/** Every row that `evaluate.rows` can name. */
export const rowFacts: Readonly<Record<EvaluationRow, RowFacts>> = {
  randomEncoder: { name: 'random encoder', isBaseline: true, isSmallSet: false },
  randomSubset: { name: 'random subset', isBaseline: true, isSmallSet: true },
  highLossSubset: { name: 'high-loss subset', isBaseline: true, isSmallSet: true },
  mkdt: { name: 'MKDT', isBaseline: false, isSmallSet: true },
  // As large a set, but what its students learn by has no targets.
  trajectoryMatchingOnSsl: { name: 'MTT on the SSL loss', isBaseline: true, isSmallSet: false },
  allData: { name: 'all data', isBaseline: false, isSmallSet: false },
  teacher: { name: 'teacher', isBaseline: false, isSmallSet: false },
};

/** The rows that pages and comparisons name. */
export const MKDT_ROW = rowFacts.mkdt.name;
export const RANDOM_ENCODER_ROW = rowFacts.randomEncoder.name;
export const RANDOM_SUBSET_ROW = rowFacts.randomSubset.name;
export const SELF_SUPERVISED_ROW = rowFacts.trajectoryMatchingOnSsl.name;

/** Names of the rows that the distilled set has to be better than. */
export const BASELINE_ROWS: readonly string[] = Object.values(rowFacts).flatMap(({ name, isBaseline }) =>
  isBaseline ? [name] : [],
);
