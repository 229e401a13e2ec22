/** Means and spreads of what an evaluation measured. */

import { mean, standardDeviation } from 'simple-statistics';
import type { TransferStudent } from '../config/sections/evaluate.js';
import type { HeldOutError, ResultRow, TransferResult } from '../report/types.js';
import { counted } from '../report/wording.js';
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

/** What tables call an architecture, such as `MLP, 2 layers of 128`. */
export function describeStudent(student: TransferStudent): string {
  switch (student.architecture) {
    case 'convNet':
      return `ConvNet, ${counted(student.depth, 'block')} of ${student.width}`;
    case 'mlp':
      return `MLP, ${counted(student.depth, 'layer')} of ${student.width}`;
    case 'resNet18':
      return `ResNet-18, width ${student.width}`;
  }
}

/** The tables of the other architectures. */
export function summariseTransfer({ transfer }: Evaluation): TransferResult[] {
  return transfer.map(({ student, ...table }) => ({
    student: describeStudent(student),
    ...summariseTable(table),
  }));
}
