/** The sections of a report on what was measured: accuracies, their differences, and the distance to the teacher. */
import { distinct, labelShares } from '../distinct.js';
import { type RowDifference, rowDifferences } from '../evaluate/differences.js';
import { MKDT_ROW } from '../evaluate/rowNames.js';
import { differencesChart, resultsChart } from './charts/rows.js';
import { chartFigure, NOTHING, section, tableFigure } from './figures.js';
import type { Finding } from './findings.js';
import { type Html, html } from './html.js';
import { accuracyCells } from './text.js';
import type { HeldOutError, ReportInput, ResultRow, RunResult } from './types.js';
import * as wording from './wording.js';

/** The difference to the best baseline at each share of the labels, in large figures. */
export function highlights(findings: readonly Finding[]): Html {
  if (findings.length === 0) return NOTHING;
  const tiles = findings.map(({ mkdt, baseline, difference }) => {
    const counted = difference.n === 1 ? 'one seed' : `${difference.n} seeds, paired`;
    return html`<div>
<p class="amount">${wording.difference(difference)}</p>
<p>points of ${MKDT_ROW} against the ${baseline.name}, the best baseline, with ${wording.labelShare(mkdt.labels)} of the labels: ${wording.accuracy(mkdt)}\u00a0% and ${wording.accuracy(baseline)}\u00a0% (${counted})</p>
</div>`;
  });
  return html`<div class="tiles">
${tiles}
</div>`;
}

function resultsTable(rows: readonly ResultRow[], deviceNote: string, student?: string): Html {
  const [[, ...shares] = [], ...encoders] = accuracyCells(rows);
  return tableFigure({
    label: `Test accuracy by encoder and share of labels${student === undefined ? '' : `: ${student}`}`,
    head: ['Encoder', ...shares],
    body: encoders.map(([name, ...cells]) => ({ name: name!, cells })),
    caption: `Test accuracy in per cent of a linear probe on each encoder: mean ± population standard deviation ${wording.seedCount(rows)}. ${deviceNote}`,
  });
}

function differencesTable(differences: readonly RowDifference[], deviceNote: string): Html {
  const shares = labelShares(differences);
  const names = distinct(differences.map(({ against }) => against));
  const cell = (name: string, share: number): string => {
    const found = differences.find(({ against, labels }) => against === name && labels === share);
    return found === undefined ? '–' : wording.difference(found);
  };
  return tableFigure({
    label: `Accuracy of ${MKDT_ROW} minus that of each other encoder`,
    head: [`${MKDT_ROW} minus`, ...shares.map((share) => `${wording.labelShare(share)} of labels`)],
    body: names.map((name) => ({ name, cells: shares.map((share) => cell(name, share)) })),
    caption: `Differences in percentage points, paired by seed: mean ± deviation of the mean over the evaluation seeds of this run, which share its images, teacher and experts. ${deviceNote}`,
  });
}

/** Accuracies as a table and a plot, and how they differ from MKDT's. */
export async function accuracySections(
  { rows }: RunResult,
  evaluation: ReportInput['evaluation'],
  deviceNote: string,
): Promise<Html[]> {
  if (rows.length === 0) return [section('Accuracy', html`<p>No accuracy has been measured.</p>`)];
  const caption = `The same accuracies; a bar reaches one standard deviation to either side, a small tick is one seed. ${deviceNote}`;
  const accuracies = section(
    'Accuracy',
    html`<div class="pair">
${resultsTable(rows, deviceNote)}
${await chartFigure(resultsChart(rows, evaluation), caption)}
</div>`,
  );
  const differences = rowDifferences(evaluation);
  if (differences.length === 0) return [accuracies];
  const differencesCaption = `The same differences; a bar reaches one deviation of the mean to either side. Right of 0, ${MKDT_ROW} is better. ${deviceNote}`;
  return [
    accuracies,
    section(
      `${MKDT_ROW} against each, seed by seed`,
      html`<p>Encoders of one seed start from the same weights and their probes see the same labelled images, so that differences vary less than the accuracies themselves.</p>
<div class="pair">
${differencesTable(differences, deviceNote)}
${await chartFigure(differencesChart(differences), differencesCaption)}
</div>`,
    ),
  ];
}

function heldOutTable(heldOutError: readonly HeldOutError[], deviceNote: string, student?: string): Html {
  const figures = wording.errors(heldOutError);
  return tableFigure({
    label: `Squared distance to the teacher by encoder${student === undefined ? '' : `: ${student}`}`,
    head: ['Encoder', 'Error'],
    body: heldOutError.map(({ name }, i) => ({ name, cells: [figures[i]!] })),
    caption: `Mean squared error to the teacher on held-out images: mean ± population standard deviation over the seeds. ${deviceNote}`,
  });
}

/** Equation (3). */
export function heldOutSection({ heldOutError }: RunResult, deviceNote: string): Html {
  if (heldOutError.length === 0) return NOTHING;
  return section(
    'Distance to the teacher',
    html`<p>The goal of distillation is an encoder that represents unseen images as the teacher does: this is the squared difference between the two, averaged over the images and the dimensions of the representation, and lower is better.</p>
${heldOutTable(heldOutError, deviceNote)}`,
  );
}

/** The sets that students of another architecture were pre-trained on, a sub-section an architecture. */
export function transferSection({ transfer }: RunResult, deviceNote: string): Html {
  if (transfer.length === 0) return NOTHING;
  const tables = transfer.map(
    ({ student, rows, heldOutError }) => html`<h3>${student}</h3>
<div class="pair">
${rows.length === 0 ? NOTHING : resultsTable(rows, deviceNote, student)}
${heldOutError.length === 0 ? NOTHING : heldOutTable(heldOutError, deviceNote, student)}
</div>`,
  );
  return section(
    'Transfer to other architectures',
    html`<p>The same sets pre-train encoders of other architectures. The synthetic set is trained on with the inner step α that was learned for the student above, which need not suit them.</p>
${tables}`,
  );
}
