/** The report of a finished run: one HTML page that needs nothing beside itself. */
import type { TopLevelSpec } from 'vega-lite';
import { innerStepChart, lossChart, renderSvg, resultsChart } from './charts.js';
import { dataUri, type Html, html, trusted } from './html.js';
import { renderPage } from './pageShell.js';
import {
  averagingWindow,
  type DistilEvent,
  type HeldOutError,
  MKDT_ROW,
  type ReportInput,
  type ResultRow,
  type RunResult,
} from './types.js';
import * as wording from './wording.js';

const NOTHING = trusted('');

interface Table {
  /** What it is called where it is read out. */
  readonly label: string;
  readonly head: readonly string[];
  readonly body: readonly { readonly name: string; readonly cells: readonly string[] }[];
  readonly total?: { readonly name: string; readonly cells: readonly string[] };
  readonly caption: string;
}

/** A table as a figure; it scrolls by itself on a narrow screen, also by keyboard. */
function tableFigure({ label, head, body, total, caption }: Table): Html {
  const line = (name: string, cells: readonly string[]) =>
    html`<th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}`;
  const foot = total ? html`<tfoot><tr>${line(total.name, total.cells)}</tr></tfoot>` : NOTHING;
  return html`<figure>
<div class="scroll" role="region" aria-label="${label}" tabindex="0">
<table aria-label="${label}">
<thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>
${body.map(({ name, cells }) => html`<tr class="${name === MKDT_ROW ? 'own' : 'other'}">${line(name, cells)}</tr>`)}
</tbody>
${foot}
</table>
</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

async function chartFigure(spec: TopLevelSpec | undefined, caption: string): Promise<Html> {
  const drawing = spec ? trusted(await renderSvg(spec)) : html`<p>No value is finite: nothing to draw.</p>`;
  return html`<figure>
${drawing}
<figcaption>${caption}</figcaption>
</figure>`;
}

function resultsTable(rows: readonly ResultRow[], deviceNote: string, student?: string): Html {
  const shares = [...new Set(rows.map((row) => row.labels))].sort((a, b) => a - b);
  const names = [...new Set(rows.map((row) => row.name))];
  const sameSeeds = new Set(rows.map((row) => row.seeds)).size <= 1;
  const cell = (name: string, labels: number): string => {
    const row = rows.find((candidate) => candidate.name === name && candidate.labels === labels);
    if (row === undefined) return '–';
    return `${wording.accuracy(row)}${sameSeeds ? '' : ` (${row.seeds})`}`;
  };
  const counted = sameSeeds ? wording.seedCount(rows) : 'over the seeds, whose number stands in brackets';
  return tableFigure({
    label: `Test accuracy by encoder and share of labels${student === undefined ? '' : `: ${student}`}`,
    head: ['Encoder', ...shares.map((share) => `${wording.labelShare(share)} of labels`)],
    body: names.map((name) => ({ name, cells: shares.map((share) => cell(name, share)) })),
    caption: `Test accuracy in per cent of a linear probe on each encoder: mean ± population standard deviation ${counted}. ${deviceNote}`,
  });
}

async function resultsSection(rows: readonly ResultRow[], deviceNote: string): Promise<Html> {
  if (rows.length === 0) return html`<p>No accuracy has been measured.</p>`;
  const caption = `The same accuracies; a bar reaches one standard deviation to either side. ${deviceNote}`;
  return html`<div class="pair">
${resultsTable(rows, deviceNote)}
${await chartFigure(resultsChart(rows), caption)}
</div>`;
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

function heldOutSection({ heldOutError }: RunResult, deviceNote: string): Html {
  if (heldOutError.length === 0) return NOTHING;
  const table = heldOutTable(heldOutError, deviceNote);
  return html`<h2>Distance to the teacher</h2>
<p>The goal of distillation is an encoder that represents unseen images as the teacher does: this is the squared difference between the two, averaged over the images and the dimensions of the representation, and lower is better.</p>
${table}`;
}

/** The sets that students of another architecture were pre-trained on, a sub-section an architecture. */
function transferSection({ transfer }: RunResult, deviceNote: string): Html {
  if (transfer.length === 0) return NOTHING;
  const tables = transfer.map(
    ({ student, rows, heldOutError }) => html`<h3>${student}</h3>
<div class="pair">
${rows.length === 0 ? NOTHING : resultsTable(rows, deviceNote, student)}
${heldOutError.length === 0 ? NOTHING : heldOutTable(heldOutError, deviceNote, student)}
</div>`,
  );
  return html`<h2>Transfer to other architectures</h2>
<p>The same sets pre-train encoders of other architectures. The synthetic set is trained on with the inner step α that was learned for the student above, which need not suit them.</p>
${tables}`;
}

async function distillationSection(
  { trajectoryLoss, innerStep }: RunResult,
  events: readonly DistilEvent[],
  deviceNote: string,
): Promise<Html> {
  const window = averagingWindow(events.length);
  const summary = html`<p>The trajectory loss went from ${wording.significant(trajectoryLoss.first)} (mean of the first ${window} iterations) to ${wording.significant(trajectoryLoss.last)} (mean of the last ${window}), and the learned inner step α from ${wording.significant(innerStep.first)} to ${wording.significant(innerStep.last)}.</p>`;
  if (events.length === 0) return html`${summary}<p>No iterations have been recorded.</p>`;
  const lossCaption = `Trajectory loss of every iteration, and its moving mean (thick). At 1 the student is no nearer to the expert’s later parameters than when it started, at 0 it has reached them. ${deviceNote}`;
  const innerStepCaption = `The inner step α that is learned together with the images. ${deviceNote}`;
  return html`${summary}
<div class="pair">
${await chartFigure(lossChart(events), lossCaption)}
${await chartFigure(innerStepChart(events), innerStepCaption)}
</div>`;
}

function imagesSection(imagesPng: Uint8Array, deviceNote: string): Html {
  if (imagesPng.length === 0) return NOTHING;
  return html`<h2>The synthetic images</h2>
<figure>
<img src="${dataUri(imagesPng, 'image/png')}" alt="Two grids of images side by side: on the left the images that distillation started from, on the right the synthetic images they became.">
<figcaption>Left: the images that distillation started from. Right: the synthetic images, each in the place of the image it was made from. ${deviceNote}</figcaption>
</figure>`;
}

function timingSection({ seconds }: RunResult, deviceNote: string): Html {
  const stages = Object.entries(seconds);
  if (stages.length === 0) return NOTHING;
  const total = stages.reduce((sum, [, value]) => sum + value, 0);
  const table = tableFigure({
    label: 'Time of each stage',
    head: ['Stage', 'Time'],
    body: stages.map(([name, value]) => ({ name, cells: [wording.duration(value)] })),
    total: { name: 'total', cells: [wording.duration(total)] },
    caption: `Wall-clock time of each stage. ${deviceNote}`,
  });
  return html`<h2>Time</h2>\n${table}`;
}

/**
 * Renders the report. The page is self-contained: no scripts, no requests, every text escaped. The same input
 * gives the same page.
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const { title, command, result, events, imagesPng, configYaml } = input;
  const device = wording.deviceName(result.device);
  const deviceNote = `Computed on ${device}.`;
  const heldOut = wording.heldOutSentence(result);
  const body = html`<h2>Accuracy</h2>
${await resultsSection(result.rows, deviceNote)}
${heldOutSection(result, deviceNote)}
${transferSection(result, deviceNote)}
<h2>Distillation</h2>
${await distillationSection(result, events, deviceNote)}
${imagesSection(imagesPng, deviceNote)}
${timingSection(result, deviceNote)}
<h2>Repeat it</h2>
<pre><code>${command}</code></pre>
<details>
<summary>Resolved configuration</summary>
<pre><code>${configYaml}</code></pre>
</details>`;
  const findings = [wording.headline(result), ...(heldOut === undefined ? [] : [heldOut])];
  return renderPage({ title, findings, dataset: result.dataset, device, body });
}
