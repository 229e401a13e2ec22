/** The results of a sweep for people: what its settings have reached over their seeds, as plots over the swept paths and as tables. */
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { show } from '../config/layers.js';
import { distinct } from '../distinct.js';
import { MKDT_ROW } from '../evaluate/rowNames.js';
import { CONFIG, FAINT, SERIES } from '../report/charts/look.js';
import { renderSvg } from '../report/charts/renderSvg.js';
import { type Html, html, trusted } from '../report/html.js';
import { renderPage } from '../report/pageShell.js';
import { accuracy, labelShare, significant } from '../report/wording.js';
import { plainDisk } from '../store/disk.js';
import type { Plain } from '../store/manifest.js';
import type { JobGraph } from './graph.js';
import {
  collectResults,
  type RunCollector,
  resultsCsv,
  type SweepGroup,
  type SweepResults,
} from './results.js';
import { finishedJobs } from './sweepFolder.js';

const WIDTH = 340;
const HEIGHT = 210;
/** What marks a row that is of another kind of device. */
const MARK = ' †';

const valueText = (value: Plain | undefined): string =>
  value === undefined ? '–' : typeof value === 'string' ? value : show(value);

/** A setting in words: its swept values, some paths aside. */
const settingText = ({ values }: Pick<SweepGroup, 'values'>, paths: readonly string[]): string =>
  paths.map((path) => `${path} = ${valueText(values[path])}`).join(', ');

/** The spread of a setting: over its runs, or of its one run over the evaluation seeds. */
const spreadOf = ({ seeds, deviation, within }: SweepGroup): number =>
  seeds.length > 1 ? deviation : within;

/** Accuracies with one share of labels over one swept path; undefined where there is nothing to draw. */
function sweptChart(
  { paths }: Pick<SweepResults, 'paths'>,
  groups: readonly SweepGroup[],
  path: string,
): TopLevelSpec | undefined {
  const others = paths.filter((other) => other !== path);
  // With several paths there are as many lines as combinations of the others, and the baselines would hide them.
  const drawn = others.length === 0 ? groups : groups.filter(({ row }) => row === MKDT_ROW);
  const found = drawn.filter(({ mean, values }) => Number.isFinite(mean) && values[path] !== undefined);
  const isNumeric = found.every(({ values }) => typeof values[path] === 'number');
  const points = found.map((group) => ({
    x: isNumeric ? group.values[path] : valueText(group.values[path]),
    y: 100 * group.mean,
    low: 100 * (group.mean - spreadOf(group)),
    high: 100 * (group.mean + spreadOf(group)),
    series: others.length === 0 ? group.row : settingText(group, others),
  }));
  if (new Set(points.map(({ x }) => x)).size < 2) return undefined;
  const series = [...new Set(points.map((point) => point.series))];
  const x = {
    field: 'x',
    title: path,
    ...(isNumeric
      ? { type: 'quantitative', scale: { zero: false, padding: 8 }, axis: { grid: false, tickCount: 6 } }
      : { type: 'nominal', sort: null, axis: { grid: false, labelAngle: 0 } }),
  };
  const color = {
    field: 'series',
    type: 'nominal',
    sort: null,
    scale: { domain: series, range: [...SERIES, FAINT] },
    legend: { orient: 'bottom', title: null, columns: 1, labelLimit: 0 },
  };
  const y = { field: 'y', type: 'quantitative', title: 'Test accuracy (%)', scale: { zero: false } };
  return {
    description: `Test accuracy over ${path}, with one standard deviation to either side.`,
    width: WIDTH,
    height: HEIGHT,
    config: CONFIG,
    data: { values: points },
    layer: [
      { mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y, color } },
      {
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.7 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
      },
      { mark: { type: 'point', filled: true, size: 36, opacity: 1 }, encoding: { x, y, color } },
    ],
  } as unknown as TopLevelSpec;
}

function table(title: string, head: readonly string[], body: readonly (readonly string[])[]): Html {
  return html`<h3>${title}</h3>
<figure>
<div class="scroll" role="region" aria-label="${title}" tabindex="0">
<table aria-label="${title}">
<thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>
${body.map(([name, ...cells]) => html`<tr><th scope="row">${name!}</th>${cells.map((text) => html`<td>${text}</td>`)}</tr>`)}
</tbody>
</table>
</div>
</figure>`;
}

/** One table for each architecture and share of labels, and for equation (3): a row a setting, a column an encoder. */
function tables({ groups, paths }: SweepResults): Html[] {
  const keyOf = ({ student, measure, labels }: SweepGroup): string =>
    JSON.stringify([student, measure, labels]);
  return distinct(groups.map(keyOf)).map((key) => {
    const own = groups.filter((group) => keyOf(group) === key);
    const [{ student, measure, labels }] = own as [SweepGroup, ...SweepGroup[]];
    const rows = distinct(own.map(({ row }) => row));
    const settings = distinct(own.map((group) => settingText(group, paths)));
    const what =
      measure === 'accuracy'
        ? `Test accuracy in % with ${labelShare(labels!)} of the labels`
        : 'Mean squared error to the teacher on held-out images (equation 3)';
    const body = settings.map((setting) => {
      const cells = rows.map((row) =>
        own.find((one) => one.row === row && settingText(one, paths) === setting),
      );
      const known = cells.filter((one) => one !== undefined);
      const isMarked = known.some((one) => one.isMarked);
      const seeds = distinct(known.flatMap((one) => one.seeds));
      return [
        `${setting === '' ? 'as configured' : setting}${isMarked ? MARK : ''}`,
        seeds.join(', '),
        ...cells.map((one) => {
          if (one === undefined) return '–';
          const spread = { mean: one.mean, deviation: spreadOf(one) };
          return measure === 'accuracy'
            ? accuracy(spread)
            : `${significant(spread.mean)} ± ${significant(spread.deviation)}`;
        }),
      ];
    });
    return table(student === '' ? what : `${what}: ${student}`, ['setting', 'seeds', ...rows], body);
  });
}

function runTable({ rows }: SweepResults): Html {
  const runs = distinct(rows.map(({ run }) => run)).map((run) => rows.find((row) => row.run === run)!);
  return table(
    'Runs',
    ['run', 'seed', 'device'],
    runs.map(({ run, seed, devices, isMarked }) => [
      `${run}${isMarked ? MARK : ''}`,
      String(seed),
      devices.join(' + '),
    ]),
  );
}

async function figures(results: SweepResults): Promise<Html[]> {
  const accuracies = results.groups.filter(
    ({ measure, student }) => measure === 'accuracy' && student === '',
  );
  const drawn: Html[] = [];
  for (const path of results.paths) {
    for (const share of distinct(accuracies.map(({ labels }) => labels!)).sort((a, b) => a - b)) {
      const own = accuracies.filter(({ labels }) => labels === share);
      const spec = sweptChart(results, own, path);
      if (spec === undefined) continue;
      drawn.push(html`<figure>
${trusted(await renderSvg(spec))}
<figcaption>Accuracy with ${labelShare(share)} of the labels over ${path}: mean and one standard deviation.</figcaption>
</figure>`);
    }
  }
  return drawn;
}

/** The page, as a text. The same results give the same text. */
export async function resultsPage(results: SweepResults): Promise<string> {
  const { rows, runs } = results;
  const finished = new Set(rows.map(({ run }) => run)).size;
  const devices = distinct(rows.flatMap((row) => row.devices));
  const isMarked = rows.some((row) => row.isMarked);
  const body = html`<div class="pair">
${await figures(results)}
</div>
<h2>Settings</h2>
<p>Over several seeds of the whole pipeline: mean of the runs' means ± population standard deviation of these. Of a single run: ± over its evaluation seeds.</p>
${tables(results)}
${runTable(results)}`;
  return renderPage({
    title: `Sweep: ${finished} of ${runs} runs`,
    findings: [
      `${finished} of ${runs} runs are finished${results.paths.length === 0 ? '' : `, over ${results.paths.join(', ')}`}.`,
      ...(isMarked
        ? [
            `Rows with${MARK} were made on other kinds of devices than most: their last bits may differ for that alone.`,
          ]
        : []),
    ],
    dataset: results.datasets.join(', '),
    device: devices.length === 0 ? '–' : devices.join('; '),
    body,
  });
}

/** Files that hold a sweep's results, in its folder. */
export const RESULT_FILES = { csv: 'results.csv', json: 'results.json', page: 'results.html' } as const;

/** How many runs of a sweep are finished. */
async function finishedRuns(sweep: string, { jobs }: JobGraph): Promise<number> {
  return (await finishedJobs(sweep, { jobs: jobs.filter(({ kind }) => kind === 'report') })).size;
}

/**
 * Writes the results of the finished runs as a table, as JSON and as a page, each whole. Several workers may do so at once: whoever
 * finds afterwards that another run was finished meanwhile begins again, so that the last ones to be written have all. Throws
 * `StoreError`.
 *
 * @param collector has read some runs already
 */
export async function writeResults(
  sweep: string,
  graph: JobGraph,
  collector?: RunCollector,
): Promise<SweepResults> {
  const write = (name: string, text: string): Promise<void> => plainDisk.writeWhole(join(sweep, name), text);
  for (;;) {
    const before = await finishedRuns(sweep, graph);
    const results = await collectResults(sweep, graph, collector);
    await write(RESULT_FILES.csv, resultsCsv(results));
    await write(RESULT_FILES.json, `${JSON.stringify(results, null, 2)}\n`);
    await write(RESULT_FILES.page, await resultsPage(results));
    if ((await finishedRuns(sweep, graph)) === before) return results;
  }
}
