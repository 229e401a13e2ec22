/** A comparison as tables of text: for the terminal, for Markdown, and for CSV. */
import { textTableWithin } from '../../autograd/textTable.js';
import { distinct } from '../distinct.js';
import type { Difference } from '../evaluate/differences.js';
import { accuracy, errors, labelShare, percentagePoints } from '../report/wording.js';
import type { Compared, ComparedTable, Comparison, Figure } from './compareRuns.js';

/** A table of a comparison in words: a row's name, and a cell for each run and group. */
export interface ComparisonTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
}

const NOTHING = '–';

/** A value for each run and, behind the runs of each group of several, one for the group. */
function inColumns<Value, Column>(
  { runs, groups }: Comparison,
  compared: Compared<Value>,
  ofRun: (value: Value | null, run: number) => Column,
  ofGroup: (value: Value | null, group: number) => Column,
): Column[] {
  return groups.flatMap(({ seeds }, group) => [
    ...runs.flatMap((run, place) => (run.group === group ? [ofRun(compared.runs[place]!, place)] : [])),
    ...(seeds.length > 1 ? [ofGroup(compared.groups[group]!, group)] : []),
  ]);
}

function columnNames(comparison: Comparison): string[] {
  const names: Compared<null> = {
    runs: comparison.runs.map(() => null),
    groups: comparison.groups.map(() => null),
  };
  return inColumns(
    comparison,
    names,
    (_, run) => comparison.runs[run]!.name,
    (_, group) => `over ${comparison.groups[group]!.seeds.length} runs`,
  );
}

/** `3.2 ± 0.9 (n = 5)`, in percentage points. */
function differenceText({ mean, deviationOfMean, n }: Difference): string {
  const spread = deviationOfMean === null ? '' : ` ± ${percentagePoints(deviationOfMean)}`;
  return `${percentagePoints(mean)}${spread} (n = ${n})`;
}

/** What one architecture's table says: accuracies by share of labels, differences, and equation (3). */
export function tablesOf(comparison: Comparison, table: ComparedTable): ComparisonTable[] {
  const columns = columnNames(comparison);
  const cells = <Value extends { readonly n: number }>(
    compared: Compared<Value>,
    text: (value: Value) => string,
    tellsCount = false,
  ): string[] => {
    const cell = (value: Value | null): string => (value === null ? NOTHING : text(value));
    return inColumns(comparison, compared, cell, (value, group) => {
      // Not every run of a group needs to have measured it.
      const isOfAll = value === null || value.n === comparison.groups[group]!.seeds.length;
      return isOfAll || tellsCount ? cell(value) : `${cell(value)} (n = ${value.n})`;
    });
  };
  const shares = distinct(table.rows.map(({ labels }) => labels));
  const suffix = table.student === '' ? '' : ` (${table.student})`;
  const accuracies = shares.map((share) => ({
    title: `Test accuracy in % with ${labelShare(share)} of the labels${suffix}`,
    head: ['encoder', ...columns],
    body: table.rows
      .filter(({ labels }) => labels === share)
      .map((row) => [row.name, ...cells(row, (value: Figure) => accuracy(value))]),
  }));
  // All to the same decimals.
  const figures = table.heldOut.flatMap(({ runs, groups }) =>
    [...runs, ...groups].filter((one) => one !== null),
  );
  const texts = new Map(errors(figures).map((text, place) => [figures[place]!, text]));
  return [
    ...accuracies,
    {
      title: `Differences in percentage points, paired by seed: mean ± deviation of the mean${suffix}`,
      head: ['difference', ...columns],
      body: table.differences.map((row) => [
        `${row.of} − ${row.against}, ${labelShare(row.labels)}`,
        ...cells(row, differenceText, true),
      ]),
    },
    {
      title: `Mean squared error to the teacher on held-out images (equation 3)${suffix}`,
      head: ['encoder', ...columns],
      body: table.heldOut.map((row) => [row.name, ...cells(row, (value: Figure) => texts.get(value)!)]),
    },
  ].filter(({ body }) => body.length > 0);
}

/** A line for each group: its runs, their seeds, and the settings in which it differs from other groups. */
export function groupLines({ groups, runs }: Comparison): string[] {
  return groups.map(({ seeds, settings }, group) => {
    const names = runs.filter((run) => run.group === group).map(({ name }) => name);
    const differs = Object.entries(settings).map(([path, value]) => `${path} = ${value}`);
    return [`${names.join(', ')}: seed${seeds.length === 1 ? '' : 's'} ${seeds.join(', ')}`, ...differs].join(
      ' · ',
    );
  });
}

/** What stands in the cells. */
export const EXPLANATION =
  'A run: mean ± population standard deviation over its evaluation seeds. Over runs: mean of their means ± population standard deviation of the means.';

/**
 * A comparison for the terminal.
 *
 * @param characters of a line: wider tables come in parts
 */
export function comparisonText(comparison: Comparison, characters = Number.POSITIVE_INFINITY): string {
  const blocks = comparison.tables
    .flatMap((table) => tablesOf(comparison, table))
    .map(({ title, head, body }) => {
      const aligns = head.map((_, column) => (column === 0 ? 'left' : 'right'));
      return `${title}\n${textTableWithin([head, ...body], aligns, characters)}`;
    });
  return [[`Data: ${comparison.dataset}`, ...groupLines(comparison), EXPLANATION].join('\n'), ...blocks].join(
    '\n\n',
  );
}

/** A text that means itself inside a Markdown table. */
const escapeMarkdown = (text: string): string =>
  text.replace(/[\\`*_[\]<>|]/g, (character) => `\\${character}`).replace(/\s*[\r\n]\s*/g, ' ');

/** A comparison as Markdown tables, a heading of level 3 over those of each further architecture. */
export function comparisonMarkdown(comparison: Comparison): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  const sections = comparison.tables.flatMap((table) => [
    ...(table.student === '' ? [] : [`### ${escapeMarkdown(table.student)}`]),
    ...tablesOf(comparison, table).map(({ title, head, body }) =>
      [
        `${escapeMarkdown(title)}:\n`,
        line(head),
        `|---|${head
          .slice(1)
          .map(() => '---:|')
          .join('')}`,
        ...body.map(line),
      ].join('\n'),
    ),
  ]);
  const intro = groupLines(comparison).map((text) => `- ${escapeMarkdown(text)}`);
  return `${[[...intro, '', EXPLANATION].join('\n'), ...sections].join('\n\n')}\n`;
}

/** A CSV field by RFC 4180; what a spreadsheet would take for a formula is kept a text. */
export function csvField(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A comparison as CSV, one measured number a line; a group's lines have no run and no seed. `deviation` is the population's
 * standard deviation for accuracies and errors, and the deviation of the mean for differences.
 */
export function comparisonCsv(comparison: Comparison): string {
  const lines: (string | number)[][] = [
    ['measure', 'student', 'row', 'labels', 'group', 'run', 'seed', 'mean', 'deviation', 'n'],
  ];
  const add = <Value>(
    compared: Compared<Value>,
    name: readonly (string | number)[],
    numbers: (value: Value) => readonly (string | number)[],
  ): void => {
    compared.runs.forEach((value, place) => {
      const { name: run, seed, group } = comparison.runs[place]!;
      if (value !== null) lines.push([...name, group + 1, run, seed, ...numbers(value)]);
    });
    compared.groups.forEach((value, group) => {
      if (value !== null) lines.push([...name, group + 1, '', '', ...numbers(value)]);
    });
  };
  const ofFigure = ({ mean, deviation, n }: Figure) => [mean, deviation, n];
  for (const { student, rows, heldOut, differences } of comparison.tables) {
    for (const row of rows) add(row, ['accuracy', student, row.name, row.labels], ofFigure);
    for (const row of differences) {
      const name = ['difference', student, `${row.of} − ${row.against}`, row.labels];
      add(row, name, ({ mean, deviationOfMean, n }) => [mean, deviationOfMean ?? '', n]);
    }
    for (const row of heldOut) add(row, ['error', student, row.name, ''], ofFigure);
  }
  return `${lines.map((line) => line.map(csvField).join(',')).join('\r\n')}\r\n`;
}
