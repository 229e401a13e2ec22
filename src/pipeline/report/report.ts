/** The report of a finished run: one HTML page that needs nothing beside itself. */
import { timeChart } from './charts/time.js';
import { chartFigure, NOTHING, section, tableFigure } from './figures.js';
import { findingsOf, headline } from './findings.js';
import { type Html, html } from './html.js';
import { accuracySections, heldOutSection, highlights, transferSection } from './measured.js';
import { renderPage } from './pageShell.js';
import { distillationSection, imagesSection, representationsSection, trainingSection } from './seen.js';
import type { ReportInput, RunResult } from './types.js';
import * as wording from './wording.js';

async function timingSection({ seconds }: RunResult, deviceNote: string): Promise<Html> {
  const stages = Object.entries(seconds);
  if (stages.length === 0) return NOTHING;
  const total = stages.reduce((sum, [, value]) => sum + value, 0);
  const share = (value: number): string => (total > 0 ? `${Math.round((100 * value) / total)}\u00a0%` : '–');
  const table = tableFigure({
    label: 'Time of each stage',
    head: ['Stage', 'Time', 'Share'],
    body: stages.map(([name, value]) => ({ name, cells: [wording.duration(value), share(value)] })),
    total: { name: 'total', cells: [wording.duration(total), ''] },
    caption: `Wall-clock time of each stage. ${deviceNote}`,
  });
  const bars = stages.map(([name, value]) => ({ name, seconds: value }));
  return section(
    'Where the time went',
    html`<div class="pair">
${table}
${await chartFigure(timeChart(bars), `The same times. ${deviceNote}`)}
</div>`,
  );
}

function repeatSection({ command, configYaml }: ReportInput): Html {
  const advice =
    command === null
      ? html`<p>The run did not keep its command. Its configuration below is a file that <code>hypergrad run</code> takes:</p>
<pre class="command"><code>hypergrad run config.yaml</code></pre>`
      : html`<pre class="command"><code>${command}</code></pre>`;
  return section(
    'Repeat it',
    html`${advice}
<p>On the same device, tuned alike, it gives the same bits, but for the measured seconds.</p>
<details>
<summary>Resolved configuration</summary>
<pre><code>${configYaml}</code></pre>
</details>`,
  );
}

/**
 * Renders the report. The page is self-contained: no scripts, no requests, every text escaped. The same input
 * gives the same page.
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const { title, result, evaluation, curves, pictures, representations } = input;
  const device = wording.deviceName(result.device);
  const deviceNote = `Computed on ${device}.`;
  const findings = findingsOf(result, evaluation);
  const sections = [
    ...(await accuracySections(result, evaluation, deviceNote)),
    heldOutSection(result, deviceNote),
    await representationsSection(representations, deviceNote),
    transferSection(result, deviceNote),
    await imagesSection(pictures, deviceNote),
    await distillationSection(result, curves, deviceNote),
    await trainingSection(curves, deviceNote),
    await timingSection(result, deviceNote),
    repeatSection(input),
  ];
  return renderPage({
    title,
    findings: headline(result, evaluation, findings),
    highlights: highlights(findings),
    dataset: result.dataset,
    device,
    body: html`${sections}`,
  });
}
