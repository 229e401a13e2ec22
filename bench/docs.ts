/** The page of figures, docs/benchmarks.md, from the rows of one run. */
import { tolerances } from './compare.js';
import type { Machine } from './machine.js';
import { LONG_ROUNDS, LONG_RUN, MOST_REPEATS, SHORTEST_SAMPLE } from './measure.js';
import { type ComparisonRow, figure, isComparison, type MetricRow, type Row } from './rows.js';

/** What the page's head says. */
export interface Occasion extends Machine {
  readonly command: string;
  readonly rounds: number;
}

const titles: Readonly<Record<string, string>> = {
  kernels: 'Kernels',
  step: 'A training step',
  hypergradient: 'A hypergradient',
  pipeline: 'A whole run',
};

const explanations: Readonly<Record<string, string>> = {
  kernels:
    'One operation on data that lies on the device. A rate counts the multiplications and additions of the definition, or ' +
    'the bytes that must be read and written at least.',
  step:
    'Forward pass, mean squared error, backward pass and the update θ − α·g, on one batch that lies on the device. Every ' +
    'side composes the same student: convolution with bias, instance norm with its affine parameters, ReLU, 2×2 average ' +
    'pooling, a linear head.',
  hypergradient:
    'N steps of training, and the gradient of the trajectory loss ‖θ_N − θ*‖²/‖θ_0 − θ*‖² by every pixel, every target and ' +
    'the learning rate. Peers unroll the steps; hypergrad draws each batch by row numbers, which the peers are spared. ' +
    'jax-js is in the form that gives a right gradient: the inner loss closes over the data, and is compiled by itself.',
  pipeline: 'Seconds of each stage of one run, as the run itself measures them.',
};

const escaped = (text: string): string => text.replaceAll('|', '\\|');

/** Lines of a Markdown table. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map((_, k) => (k === 0 ? '---' : '---:'))), ...body.map(line)];
}

const times = (median: number, spread: number): string => `${figure(median)} ± ${figure(spread)}`;

/** Cases in the order in which they were met. */
function byCase<Kind extends Row>(rows: readonly Kind[]): Map<string, Kind[]> {
  const cases = new Map<string, Kind[]>();
  for (const row of rows) cases.set(row.case, [...(cases.get(row.case) ?? []), row]);
  return cases;
}

function comparisonLines(name: string, rows: readonly ComparisonRow[]): string[] {
  const [{ oursMs, oursSpreadMs }] = rows as [ComparisonRow];
  const body = rows.map(({ peer, peerMs, peerSpreadMs, ratio, difference }) =>
    peerMs === null || ratio === null
      ? [peer, '–', '–', '–']
      : [peer, times(peerMs, peerSpreadMs ?? 0), `${figure(ratio)}×`, (difference ?? 0).toExponential(0)],
  );
  const reasons = rows.filter(({ why }) => why !== undefined);
  return [
    `### ${name}`,
    '',
    ...table(
      ['', 'ms', 'its time / ours', 'difference of results'],
      [['hypergrad', times(oursMs, oursSpreadMs), '1', ''], ...body],
    ),
    '',
    ...reasons.map(({ peer, why }) => `- ${peer}: ${why}`),
    ...(reasons.length > 0 ? [''] : []),
  ];
}

function metricLines(rows: readonly MetricRow[]): string[] {
  if (rows.length === 0) return [];
  const body = [...byCase(rows)].flatMap(([name, each]) =>
    each.map(({ metric, value, unit }, k) => [k === 0 ? name : '', metric, `${figure(value)} ${unit}`]),
  );
  return [...table(['hypergrad', 'figure', ''], body), ''];
}

function suiteLines(suite: string, rows: readonly Row[]): string[] {
  const comparisons = byCase(rows.filter(isComparison));
  const metrics = rows.filter((row): row is MetricRow => !isComparison(row));
  return [
    `## ${titles[suite] ?? suite}`,
    '',
    explanations[suite] ?? '',
    '',
    ...metricLines(metrics),
    ...[...comparisons].flatMap(([name, each]) => comparisonLines(name, each)),
  ];
}

/** How the times of a comparison were taken, and what had to agree before. */
function method(rounds: number): string {
  const fewer =
    rounds > LONG_ROUNDS ? ` (${LONG_ROUNDS} of a side whose first run takes over ${LONG_RUN / 1000} s)` : '';
  const [kernels, step, hypergradient] = [tolerances.kernels, tolerances.step, tolerances.hypergradient].map(
    (tolerance) => tolerance.toExponential(0),
  );
  return (
    `Each time is the median of ${rounds} samples${fewer} ± their median absolute deviation, in milliseconds, warm. ` +
    `Sides are measured in turn, a sample of each in every round; a sample lasts at least ${SHORTEST_SAMPLE} ms, in as ` +
    `many runs as that takes but no more than ${MOST_REPEATS}, and ends when the device has done its work. Before anything ` +
    'is timed, each side must give the same numbers as hypergrad (relative difference of the vectors: ' +
    `${kernels} for kernels, ${step} for a step, ${hypergradient} for a hypergradient). Sides named \`webgpu\` run on the same adapter as hypergrad and wait for it as hypergrad ` +
    'does; the others run on the processor.'
  );
}

/** The whole page. */
export function documentation(rows: readonly Row[], occasion: Occasion): string {
  const { command, device, processor, versions, absent, date, rounds } = occasion;
  const suites = [...new Set(rows.map(({ suite }) => suite))];
  const lines = [
    '# Benchmarks',
    '',
    '<!-- Written by `npm run bench -- --docs`; what is typed here is lost with the next run. -->',
    '',
    `- Command: \`${command}\``,
    `- Device: ${device}`,
    `- Processor: ${processor}`,
    `- Versions: ${versions.join('; ')}`,
    `- Date: ${date}`,
    ...absent.map(({ name, why }) => `- Without ${name}: ${why}`),
    '',
    method(rounds),
    '',
    ...suites.flatMap((suite) =>
      suiteLines(
        suite,
        rows.filter((row) => row.suite === suite),
      ),
    ),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}
