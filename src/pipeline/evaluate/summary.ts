/** Means and spreads of what an evaluation measured. */

import { mean, standardDeviation } from 'simple-statistics';
import type { HeldOutError, ResultRow, TransferResult } from '../report/types.js';
import { describeStudent } from '../stages/students.js';
import type { Evaluation, EvaluationTable } from './record.js';

/** A table's rows, over the seeds: mean and population standard deviation. */
export function summariseTable({ rows, heldOut }: EvaluationTable): {
  readonly rows: ResultRow[];
  readonly heldOutError: HeldOutError[];
} {
  return {
    rows: rows.map(({ name, labels, accuracies }) => ({
      name,
      labels,
      mean: mean(accuracies),
      deviation: standardDeviation(accuracies),
      seeds: accuracies.length,
    })),
    heldOutError: heldOut.map(({ name, errors }) => ({
      name,
      mean: mean(errors),
      deviation: standardDeviation(errors),
    })),
  };
}

/** The tables of the other architectures. */
export function summariseTransfer({ transfer }: Evaluation): TransferResult[] {
  return transfer.map(({ student, ...table }) => ({
    student: describeStudent(student),
    ...summariseTable(table),
  }));
}
