/** The command `hypergrad watch`: a run of another process, as it goes. */
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { ConfigError } from '../../errors.js';
import { type RunSnapshot, RunWatcher } from '../../pipeline/watch/snapshot.js';
import { note } from '../help.js';
import { isScreen, LINE_INTERVAL_MILLISECONDS } from '../progressText.js';
import { voiceOf } from '../voice.js';
import { endSentence, frame, plain, statusOf, thin } from '../watch/frame.js';
import { coloursOf } from '../watch/halfBlocks.js';

interface WatchFlags {
  /** Seconds. */
  readonly interval: number;
  readonly once?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const DEFAULT_INTERVAL = 1;
const [SHORTEST_INTERVAL, LONGEST_INTERVAL] = [0.1, 3600];
/** Points of the curve in `--json`. */
const JSON_POINTS = 200;
/** What a pipe is taken for. */
const PIPE = { columns: 80, rows: 48 } as const;

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= SHORTEST_INTERVAL && seconds <= LONGEST_INTERVAL)) {
    throw new ConfigError(
      `--interval ${JSON.stringify(text)} must be a number of seconds from ${SHORTEST_INTERVAL} to ${LONGEST_INTERVAL}.`,
    );
  }
  return seconds;
}

/** The snapshot as JSON: the curve thinned, and of the images where they are. */
function json({ curve, images, ...rest }: RunSnapshot): string {
  const thinned = curve && { stage: curve.stage, ...thin(curve, JSON_POINTS) };
  const seen = images && { count: images.count, image: images.image, file: images.file };
  return `${JSON.stringify({ ...rest, curve: thinned, images: seen }, null, 2)}\n`;
}

/** Draws snapshots over each other on a terminal. */
function screen(stream: NodeJS.WriteStream): (run: RunSnapshot) => void {
  let drawn = 0;
  return (run) => {
    const lines = frame(run, { columns: stream.columns, rows: stream.rows - 1, colours: coloursOf(stream) });
    moveCursor(stream, 0, -Math.min(drawn, stream.rows - 1));
    cursorTo(stream, 0);
    clearScreenDown(stream);
    stream.write(lines.map((line) => `${line}\n`).join(''));
    drawn = lines.length;
  };
}

/** Says in a line how the running stage stands, when another begins and now and then. */
function ticker(say: (text: string) => void): (run: RunSnapshot) => void {
  let [stage, said] = ['', Number.NEGATIVE_INFINITY];
  return ({ stages }) => {
    const running = stages.find(({ state }) => state === 'running');
    if (running === undefined) return;
    if (running.name === stage && performance.now() - said < LINE_INTERVAL_MILLISECONDS) return;
    [stage, said] = [running.name, performance.now()];
    say(`${plain(running.name)} ${statusOf(running)}`.trimEnd());
  };
}

async function watch(folder: string, flags: WatchFlags): Promise<void> {
  const { interval, once = false, quiet = false } = flags;
  const { stdout } = process;
  const watcher = await RunWatcher.open(folder);
  let run = await watcher.look();
  if (flags.json) stdout.write(json(run));
  else {
    const { say, remark } = voiceOf(flags);
    const isDrawn = isScreen(stdout) && !once && !quiet;
    const draw = isDrawn ? screen(stdout) : ticker(remark);
    while (!once && run.state === 'running') {
      draw(run);
      await wait(1000 * interval);
      run = await watcher.look();
    }
    if (isDrawn) draw(run);
    else if (!quiet) {
      const { columns = PIPE.columns, rows = PIPE.rows } = stdout;
      // Cleaned of what a terminal would obey, but for its own colours.
      stdout.write(`${frame(run, { columns, rows, colours: coloursOf(stdout) }).join('\n')}\n`);
    }
    const end = endSentence(run);
    if (end !== '') say(isDrawn || !quiet ? `\n${end}` : end);
  }
  process.exitCode = run.exitCode ?? 0;
}

/** The command `hypergrad watch`. */
export function watchCommand(): Command {
  return new Command('watch')
    .description('see how a run goes, from another terminal: stages, time left, losses and images')
    .argument('<run>', "the run's folder")
    .option('--interval <seconds>', 'how often to look', parseInterval, DEFAULT_INTERVAL)
    .option('--once', 'look once, and end')
    .option('--json', 'look once, and print what is seen as JSON')
    .addHelpText(
      'after',
      note(
        'Reads the folder only: the run needs not know, and either may end before the other. Ends when the run does, with its exit code: 0 when it is finished, 1 where its process was killed, and what hypergrad run exited with otherwise.',
      ),
    )
    .action(watch);
}
