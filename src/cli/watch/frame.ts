/** A run at one moment as lines of text: its stages, its losses as a chart, and its images. */
import { plot } from 'simple-ascii-chart';
import { duration } from '../../pipeline/report/wording.js';
import type { Curve } from '../../pipeline/watch/losses.js';
import type { RunSnapshot, StageView } from '../../pipeline/watch/snapshot.js';
import { fourDigits, progressText } from '../progressText.js';
import { terminalText } from '../terminalText.js';
import { type Colours, halfBlocks, mosaic } from './halfBlocks.js';

/** What the lines are drawn on. */
export interface Surface {
  /** Characters of a line. */
  readonly columns: number;
  /** Lines that there are. */
  readonly rows: number;
  readonly colours: Colours;
}

const CHART_ROWS = 8;
/** Lines of the chart beside its rows: axis, ticks and what the library leaves empty. */
const CHART_MARGIN = 4;
/** Characters of the chart's labels. */
const LABELS = 8;
const WIDEST_CHART = 100;
/** Images in fewer lines show nothing. */
const LEAST_IMAGE_ROWS = 4;
const BAR = 20;

/** A text from a folder, without what a terminal would take for orders. */
export const plain = (text: string): string => terminalText(text.replaceAll(/[\t\n]+/g, ' '));

const marks: Record<StageView['state'], string> = {
  waiting: '·',
  running: '▶',
  stopped: '■',
  done: '✓',
  skipped: '✓',
};

function barOf(done: number, total: number): string {
  const full = Math.round((BAR * Math.min(done, total)) / total);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
}

/** How far a stage is, as far as it is known. */
export const statusOf = (stage: StageView): string => progressText({ ...stage, unit: plain(stage.unit) });

function stageLine(stage: StageView, width: number): string {
  const { name, state, done, total, unit, loss, seconds } = stage;
  const parts: string[] = [];
  if (state === 'running' || state === 'stopped') {
    if (done !== null && total) parts.push(barOf(done, total));
    parts.push(statusOf(stage));
  } else if (state !== 'waiting') {
    const facts = [
      total === null ? '' : `${total} ${plain(unit)}`,
      loss === null ? '' : `loss ${fourDigits(loss)}`,
      seconds === null ? '' : duration(seconds),
      state === 'skipped' ? 'unchanged, skipped' : '',
    ];
    parts.push(facts.filter((fact) => fact !== '').join(', '));
  }
  return `${marks[state]} ${plain(name).padEnd(width)}  ${parts.join(' ')}`.trimEnd();
}

/** A curve in at most so many points, each the mean of as many neighbours. */
export function thin({ steps, losses }: Curve, most: number): Curve {
  const size = Math.ceil(losses.length / most);
  if (size <= 1) return { steps, losses };
  const starts = Array.from({ length: Math.ceil(losses.length / size) }, (_, k) => k * size);
  return {
    steps: starts.map((start) => steps[Math.min(start + size, steps.length) - 1]!),
    losses: starts.map((start) => {
      const part = losses.slice(start, start + size);
      return part.reduce((sum, loss) => sum + loss, 0) / part.length;
    }),
  };
}

function chartLines(curve: Curve, { columns }: Surface): string[] {
  const width = Math.min(WIDEST_CHART, columns - LABELS - 4);
  const { steps, losses } = thin(curve, width);
  const points = steps
    .map((step, k): [number, number] => [step, losses[k]!])
    .filter(([, loss]) => Number.isFinite(loss));
  if (points.length < 2) return [];
  const [first, last] = [points[0]![0], points.at(-1)![0]];
  return plot(points, {
    width,
    height: CHART_ROWS,
    customXAxisTicks: [first, Math.round((first + last) / 2), last],
    formatter: (value, { axis }) => (axis === 'y' ? String(Number(value.toPrecision(3))) : value),
  })
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

function headline({ folder, state, stages }: RunSnapshot): string {
  const at = stages.findIndex((stage) => stage.state === 'running');
  const where = at < 0 ? '' : `, stage ${at + 1} of ${stages.length}`;
  return `${plain(folder)}: ${state}${where}`;
}

/** How a run ended, and what to do next; empty while it runs. */
export function endSentence({ state, folder, report, message, command, exitCode }: RunSnapshot): string {
  if (state === 'running') return '';
  if (state === 'finished') return report === null ? `${folder} is finished.` : `Finished. Report: ${report}`;
  const how = (message && plain(message)) ?? `${folder} is not finished, and nobody works on it any more.`;
  return `Stopped (exit code ${exitCode}): ${how}${command === null ? '' : `\nTo go on: ${plain(command)}`}`;
}

/** A run as lines, no longer and no more of them than the surface has; what does not fit is left out, the images first. */
export function frame(run: RunSnapshot, surface: Surface): string[] {
  const { columns, rows, colours } = surface;
  const cut = (line: string): string => [...line].slice(0, columns).join('');
  const width = Math.max(...run.stages.map(({ name }) => name.length), 0);
  const lines = [headline(run), ...run.stages.map((stage) => stageLine(stage, width))].map(cut);
  if (run.curve !== null) {
    const { stage, losses } = run.curve;
    const step = run.innerStep;
    lines.push(
      '',
      cut(
        `loss of ${plain(stage)}: ${fourDigits(losses.at(-1)!)}, from ${fourDigits(losses[0]!)}${
          step === null ? '' : `; α ${fourDigits(step.latest)}, from ${fourDigits(step.first)}`
        }`,
      ),
    );
    if (rows - lines.length >= CHART_ROWS + CHART_MARGIN)
      lines.push(...chartLines(run.curve, surface).map(cut));
  }
  const left = rows - lines.length - 2;
  if (run.images !== null && left >= LEAST_IMAGE_ROWS) {
    const picture = mosaic(run.images, columns, 2 * left);
    lines.push(
      '',
      cut(`${run.images.count} synthetic images, of ${plain(run.images.file)}`),
      ...halfBlocks(picture, colours),
    );
  }
  return lines.slice(0, rows);
}
