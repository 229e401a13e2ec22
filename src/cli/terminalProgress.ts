/** A run's progress for people: a bar on a terminal, plain lines elsewhere. Neither uses colour. */
import cliProgress, { type SingleBar } from 'cli-progress';
import type { Progress, StageName } from '../pipeline/progress.js';
import { duration } from '../pipeline/report/wording.js';
import { fourDigits, isScreen, LINE_INTERVAL_MILLISECONDS, progressText } from './progressText.js';

const BAR_WIDTH = 24;

export interface TerminalProgress extends Progress {
  /** Ends a bar that is still drawn, so that it does not keep the process alive. */
  close(): void;
}

interface Moment {
  /** Milliseconds. */
  readonly time: number;
  readonly done: number;
}

interface Running {
  readonly stage: StageName;
  readonly total: number;
  readonly unit: string;
  /** The first advance, from which the speed is measured: compiling and resuming come before it. */
  first: Moment | undefined;
  latest: Moment;
  loss: number | undefined;
}

function statusOf({ total, unit, first, latest, loss }: Running): string {
  const hasSpeed = first !== undefined && latest.time > first.time && latest.done > first.done;
  const perSecond = hasSpeed ? (1000 * (latest.done - first.done)) / (latest.time - first.time) : null;
  const secondsLeft = perSecond === null ? null : (total - latest.done) / perSecond;
  return progressText({ done: latest.done, total, unit, loss: loss ?? null, perSecond, secondsLeft });
}

function endOf({ stage, total, unit, loss }: Running, seconds: number): string {
  const end = loss === undefined ? '' : `, loss ${fourDigits(loss)}`;
  return `${stage}: ${total} ${unit} done in ${duration(seconds)}${end}`;
}

/** What is drawn of a running stage, besides the lines at its start, end and when it is skipped. */
interface Drawing {
  start(running: Running): void;
  update(running: Running): void;
  stop(): void;
}

function barDrawing(stream: NodeJS.WritableStream): Drawing {
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    start(running) {
      stop();
      bar = new cliProgress.SingleBar({
        stream,
        barsize: BAR_WIDTH,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        format: (options, { progress }) =>
          `${running.stage} ${cliProgress.Format.BarFormat(progress, options)} ${statusOf(running)}`,
        clearOnComplete: true,
        // Cut to the terminal's width instead of switching its line wrapping off.
        linewrap: true,
        // Its handler would keep Ctrl-C from ending the process.
        gracefulExit: false,
      });
      bar.start(running.total, 0);
    },
    update(running) {
      bar?.update(running.latest.done);
    },
    stop,
  };
}

function lineDrawing(say: (line: string) => void): Drawing {
  let lastLine = 0;
  return {
    start({ stage, total, unit }) {
      lastLine = Date.now();
      say(`${stage}: ${total} ${unit}`);
    },
    update(running) {
      const now = Date.now();
      if (now - lastLine < LINE_INTERVAL_MILLISECONDS || running.latest.done >= running.total) return;
      lastLine = now;
      say(`${running.stage} ${statusOf(running)}`);
    },
    stop() {},
  };
}

/**
 * Tells a run's progress on a stream. On a terminal: a bar with the loss, the speed and the time left, and one
 * line for each stage that ended. Elsewhere: a line at a stage's start and end, and one at most every 10
 * seconds in between.
 */
export function terminalProgress(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
): TerminalProgress {
  const say = (line: string) => stream.write(`${line}\n`);
  const drawing = isScreen(stream) ? barDrawing(stream) : lineDrawing(say);
  let running: Running | undefined;
  return {
    started(stage, total, unit) {
      running = {
        stage,
        total,
        unit,
        first: undefined,
        latest: { time: Date.now(), done: 0 },
        loss: undefined,
      };
      drawing.start(running);
    },
    advanced(stage, done, loss) {
      if (running?.stage !== stage) return;
      running.latest = { time: Date.now(), done };
      running.first ??= running.latest;
      if (loss !== undefined) running.loss = loss;
      drawing.update(running);
    },
    finished(stage, seconds) {
      drawing.stop();
      if (running?.stage === stage) say(endOf(running, seconds));
      running = undefined;
    },
    skipped(stage) {
      say(`${stage}: unchanged, skipped`);
    },
    close() {
      drawing.stop();
      running = undefined;
    },
  };
}
