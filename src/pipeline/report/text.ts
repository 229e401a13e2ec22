/** Tables of an evaluation as plain text. */
import { textTable } from '../../autograd/textTable.js';
import { distinct, labelShares } from '../distinct.js';
import type { HeldOutError, ResultRow } from './types.js';
import { accuracy, errors, labelShare, seedCount } from './wording.js';

/** What one architecture's table holds. */
export interface TextTable {
  readonly rows: readonly ResultRow[];
  readonly heldOutError: readonly HeldOutError[];
}

/** Accuracies by encoder and share of labels: a heading and a row an encoder, one cell for each share behind its name. */
export function accuracyCells(rows: readonly ResultRow[]): string[][] {
  const shares = labelShares(rows);
  const names = distinct(rows.map((row) => row.name));
  const cell = (name: string, share: number): string => {
    const row = rows.find((candidate) => candidate.name === name && candidate.labels === share);
    return row === undefined ? '–' : accuracy(row);
  };
  return [
    ['encoder', ...shares.map((share) => `${labelShare(share)} of labels`)],
    ...names.map((name) => [name, ...shares.map((share) => cell(name, share))]),
  ];
}

/** The same as lines of text. */
export function accuracyLines(rows: readonly ResultRow[]): string[] {
  const cells = accuracyCells(rows);
  const [, ...shares] = cells[0]!;
  return textTable(cells, ['left', ...shares.map(() => 'right' as const)]).split('\n');
}

/** Accuracies and, beside or without them, equation (3), under what they are. */
export function evaluationLines({ rows, heldOutError }: TextTable): string[] {
  const figures = errors(heldOutError);
  const distances = textTable(
    [['encoder', 'error'], ...heldOutError.map(({ name }, k) => [name, figures[k]!])],
    ['left', 'right'],
  ).split('\n');
  return [
    ...(rows.length === 0
      ? ['The data has no labels: no linear probe.']
      : [
          `Test accuracy of a linear probe in %, mean ± standard deviation ${seedCount(rows)}:`,
          ...accuracyLines(rows),
        ]),
    ...(heldOutError.length === 0
      ? ['There is no teacher to measure a distance to.']
      : ['Mean squared error to the teacher on the test images (equation 3):', ...distances]),
  ];
}

/** Lines as one text; the report's non-breaking spaces would hinder whoever searches it. */
export const plainText = (lines: readonly string[]): string => lines.join('\n').replaceAll('\u00a0', ' ');
