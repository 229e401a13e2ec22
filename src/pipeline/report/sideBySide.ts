/** Several finished runs in one page: what they measured side by side and over seeds, their curves over each other, their images. */
import type { Compared, Comparison } from '../compare/compareRuns.js';
import { EXPLANATION, groupLines, tablesOf } from '../compare/tables.js';
import { distinct } from '../distinct.js';
import type { Difference } from '../evaluate/differences.js';
import { MKDT_ROW } from '../evaluate/rowNames.js';
import { overlaidChart } from './charts/curves.js';
import { type Bar, barsChart } from './charts/rows.js';
import { stackedTimeChart } from './charts/time.js';
import { chartFigure, NOTHING, section, tableFigure } from './figures.js';
import { type Html, html } from './html.js';
import { renderPage } from './pageShell.js';
import { pictureFigures } from './seen.js';
import type { ReportInput } from './types.js';
import * as wording from './wording.js';

/** Runs that are shown together. */
export interface SideBySide {
  readonly comparison: Comparison;
  /** What the reports of the runs show, in the order of `comparison.runs`. */
  readonly reports: readonly ReportInput[];
}

/** What runs that differ in the seed alone say together, a sentence for each subset and share of labels. */
export function findingsOver({ groups, runs, tables: [table] }: Comparison): string[] {
  const several = groups.flatMap(({ seeds }, group) => (seeds.length > 1 ? [group] : []));
  if (table === undefined || several.length === 0) {
    return [
      'No two of these runs differ in the seed alone, so that nothing can be said over runs: what follows is of each by itself.',
    ];
  }
  return several.flatMap((group) => {
    const names = runs.filter((run) => run.group === group).map(({ name }) => name);
    const found = table.differences.flatMap(({ of, against, labels, groups: over }) => {
      const difference = over[group];
      if (difference === null || difference === undefined) return [];
      return [
        `${wording.difference(difference)} points of ${of} against the ${against} with ${wording.labelShare(labels)} of the labels, n\u00a0=\u00a0${difference.n} runs`,
      ];
    });
    if (found.length === 0) {
      return [
        `${names.join(', ')} differ in the seed alone, and have no subset that ${MKDT_ROW} could be held against by accuracy.`,
      ];
    }
    return [
      `Over ${names.join(', ')}, which differ in the seed alone: ${found.join('; ')} (mean paired difference ± deviation of the mean).`,
    ];
  });
}

/** What computed, by name. */
const devicesOf = (reports: readonly ReportInput[]): string[] =>
  distinct(reports.map(({ result }) => wording.deviceName(result.device)));

function runsSection({ comparison, reports }: SideBySide): Html {
  const { groups, runs } = comparison;
  const devices = devicesOf(reports);
  const settings = distinct(groups.flatMap((group) => Object.keys(group.settings))).filter(
    (path) => path !== 'device',
  );
  const body = runs.map(({ name, seed, group }, place) => {
    const { result } = reports[place]!;
    const { trajectoryLoss, innerStep, seconds } = result;
    const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
    return {
      name,
      cells: [
        String(seed),
        ...settings.map((path) => groups[group]!.settings[path] ?? '–'),
        `${wording.significant(trajectoryLoss.first)} → ${wording.significant(trajectoryLoss.last)}`,
        wording.significant(innerStep.last),
        wording.duration(total),
        ...(devices.length === 1 ? [] : [wording.deviceName(result.device)]),
      ],
    };
  });
  return section(
    'The runs',
    html`${tableFigure({
      label: 'The runs',
      head: [
        'Run',
        'Seed',
        ...settings,
        'Trajectory loss',
        'Inner step α',
        'Time',
        ...(devices.length === 1 ? [] : ['Device']),
      ],
      body,
      caption: `Trajectory losses are means of the first and of the last iterations. ${settings.length === 0 ? 'The runs differ in the seed alone, or in their device.' : 'Settings are those in which they differ.'}`,
    })}
${groups.length < 2 ? NOTHING : groupLines(comparison).map((line) => html`<p>${line}</p>`)}`,
  );
}

/** A bar for each run in a line. */
const barsOf = <Value extends { readonly mean: number }>(
  { runs }: Comparison,
  name: string,
  compared: Compared<Value>,
  deviation: (value: Value) => number | null,
): Bar[] =>
  compared.runs.flatMap((value, place) => {
    if (value === null) return [];
    const spread = deviation(value);
    return [
      {
        name,
        series: runs[place]!.name,
        mean: 100 * value.mean,
        deviation: spread === null ? null : 100 * spread,
      },
    ];
  });

async function accuracySection({ comparison }: SideBySide, deviceNote: string): Promise<Html> {
  const { tables, runs } = comparison;
  const [own] = tables;
  const series = runs.map(({ name }) => name);
  const figures: Html[] = [];
  for (const share of distinct((own?.rows ?? []).map(({ labels }) => labels))) {
    const chart = barsChart({
      description: `Test accuracy of a linear probe with ${wording.labelShare(share)} of the labels, by encoder and run.`,
      measure: `Test accuracy with ${wording.labelShare(share)} of the labels (%)`,
      legend: null,
      series,
      bars: own!.rows
        .filter(({ labels }) => labels === share)
        .flatMap((row) => barsOf(comparison, row.name, row, ({ deviation }) => deviation)),
    });
    const caption = `Accuracy with ${wording.labelShare(share)} of the labels; a bar reaches one standard deviation over a run’s evaluation seeds to either side. ${deviceNote}`;
    figures.push(await chartFigure(chart, caption));
  }
  if (own !== undefined && own.differences.length > 0) {
    const chart = barsChart({
      description: 'Accuracy of MKDT minus that of the subsets, by run, with one deviation of the mean.',
      measure: 'MKDT better by (points)',
      legend: null,
      series,
      marksZero: true,
      bars: own.differences.flatMap((row) =>
        barsOf(
          comparison,
          `− ${row.against.replace(' subset', '')}, ${wording.labelShare(row.labels)}`,
          row,
          ({ deviationOfMean }: Difference) => deviationOfMean,
        ),
      ),
    });
    const caption = `MKDT minus the subsets, paired by seed, by share of the labels; a bar reaches one deviation of the mean to either side. ${deviceNote}`;
    figures.push(await chartFigure(chart, caption));
  }
  return section(
    'Accuracy',
    html`<div class="pair">
${figures}
</div>
${tables.flatMap((table) =>
  tablesOf(comparison, table).map(({ title, head, body }) =>
    tableFigure({
      label: title,
      head: head.map((text, place) => (place === 0 ? `${text[0]!.toUpperCase()}${text.slice(1)}` : text)),
      body: body.map(([name, ...cells]) => ({ name: name!, cells })),
      caption: `${title}. ${EXPLANATION} ${deviceNote}`,
    }),
  ),
)}`,
  );
}

async function curvesSection({ comparison, reports }: SideBySide, deviceNote: string): Promise<Html> {
  const runs = comparison.runs.map(({ name }, place) => ({ name, events: reports[place]!.curves.distil }));
  return section(
    'Distillation',
    html`<div class="pair">
${[
  await chartFigure(
    overlaidChart('loss', runs),
    `Trajectory loss of each run: its moving mean over a twentieth of the iterations. ${deviceNote}`,
  ),
  await chartFigure(overlaidChart('innerStep', runs), `The learned inner step α of each run. ${deviceNote}`),
]}
</div>`,
  );
}

async function imagesSection({ comparison, reports }: SideBySide, deviceNote: string): Promise<Html> {
  const blocks: Html[] = [];
  for (const [place, { name }] of comparison.runs.entries()) {
    const { pictures } = reports[place]!;
    blocks.push(html`<h3>${name}</h3>
${pictures === null ? html`<p>Its folder does not say how its images were standardised.</p>` : await pictureFigures(pictures, deviceNote)}`);
  }
  return section('The synthetic images', blocks);
}

async function timingSection({ comparison, reports }: SideBySide, deviceNote: string): Promise<Html> {
  const runs = comparison.runs.map(({ name }, place) => ({ name, seconds: reports[place]!.result.seconds }));
  const stages = distinct(runs.flatMap(({ seconds }) => Object.keys(seconds)));
  if (stages.length === 0) return NOTHING;
  const cell = (seconds: number | undefined): string =>
    seconds === undefined ? '–' : wording.duration(seconds);
  return section(
    'Where the time went',
    // A column a run needs the whole width.
    html`${[
      tableFigure({
        label: 'Time of each stage',
        head: ['Stage', ...runs.map(({ name }) => name)],
        body: stages.map((stage) => ({
          name: stage,
          cells: runs.map(({ seconds }) => cell(seconds[stage])),
        })),
        caption: `Wall-clock time of each stage. ${deviceNote}`,
      }),
      await chartFigure(stackedTimeChart(runs), `The same times. ${deviceNote}`),
    ]}`,
  );
}

const repeatSection = ({ comparison, reports }: SideBySide): Html =>
  section(
    'Repeat them',
    comparison.runs.map(({ name }, place) => {
      const { command } = reports[place]!;
      return html`<h3>${name}</h3>
${command === null ? html`<p>The run did not keep its command; <code>hypergrad run</code> takes the config.yaml of its folder.</p>` : html`<pre class="command"><code>${command}</code></pre>`}`;
    }),
  );

/** Renders runs side by side. As self-contained as a run's own report, and as little able to do anything. */
export async function renderSideBySide(together: SideBySide): Promise<string> {
  const { comparison, reports } = together;
  const devices = devicesOf(reports);
  const deviceNote =
    devices.length === 1
      ? `Computed on ${devices[0]}.`
      : 'Computed on the devices that the first table names.';
  const sections = [
    runsSection(together),
    await accuracySection(together, deviceNote),
    await curvesSection(together, deviceNote),
    await imagesSection(together, deviceNote),
    await timingSection(together, deviceNote),
    repeatSection(together),
  ];
  return renderPage({
    title: `${comparison.dataset}: ${comparison.runs.length} runs side by side`,
    findings: findingsOver(comparison),
    dataset: comparison.dataset,
    device: devices.join('; '),
    body: html`${sections}`,
  });
}
