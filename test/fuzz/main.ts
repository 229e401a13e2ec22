/**
 * `npm run test:fuzz`: inputs over all readers, with a fixed seed and a drawn one, in two processes that are watched from a third.
 *
 *     npm run test:fuzz -- --inputs 1000000            more of them
 *     npm run test:fuzz -- --seed 12345                another seed alone
 *     npm run test:fuzz -- --reader npy --seed 1 --index 42    one input again
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { terminalText } from '../../src/cli/terminalText.js';
import { writeFiles } from '../support/imageFiles.js';
import { filesOf, type InputKey, inputs, LONGEST, readerNamed } from './fuzz.js';
import { readers } from './readers.js';
import { type Message, type Task, work } from './worker.js';

const FIXED_SEED = 1;
const INPUTS = 120_000;
const PROCESSES = 2;
/** Without a word for so long, a process hangs. Its input has had three tries of a second by then. */
const SILENCE = 30_000;
/** MiB that a process may grow by. */
const LARGEST_GROWTH = 256;
/** A cap on garbage, so that what is measured is what readers ask for. */
const HEAP = ['--max-old-space-size=160', '--max-semi-space-size=8'];

interface Tally {
  accepted: number;
  refused: number;
  slowest: number;
}

const failures: { readonly key: InputKey; readonly fault: string }[] = [];
const tallies = new Map<string, Tally>(
  readers.map(({ name }) => [name, { accepted: 0, refused: 0, slowest: 0 }]),
);

const commandOf = ({ reader, seed, index }: InputKey): string =>
  `npm run test:fuzz -- --reader ${JSON.stringify(reader)} --seed ${seed} --index ${index}`;

async function fail(key: InputKey, fault: string): Promise<void> {
  failures.push({ key, fault });
  const name = `${key.reader.replace(/[^a-z0-9]+/gi, '-')}-${key.seed}-${key.index}`;
  const folder = join('test/fuzz/failures', name);
  await writeFiles(folder, filesOf(key));
  process.stdout.write(`FAIL ${key.reader}: ${terminalText(fault)}\n  ${folder}; again: ${commandOf(key)}\n`);
}

/** Runs one process' part of the inputs, and returns the MiB that it grew by. */
function watch(task: Task): Promise<number> {
  return new Promise((finished) => {
    const child: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
      execArgv: HEAP,
      env: { ...process.env, HYPERGRAD_FUZZ_TASK: JSON.stringify(task) },
    });
    let current: InputKey | null = null;
    let growth = 0;
    let heard = performance.now();
    /** A process that the system ends for its memory ends by the same signal. */
    let isOurs = false;
    const timer = setInterval(() => {
      if (performance.now() - heard < SILENCE) return;
      if (current !== null) void fail(current, `no end within ${SILENCE / 1000} s`);
      isOurs = true;
      child.kill('SIGKILL');
    }, 1000);
    child.on('message', (message: Message) => {
      heard = performance.now();
      if ('next' in message) current = message.next;
      else {
        growth = message.growth;
        const { key, accepted, milliseconds, fault } = message.outcome;
        const tally = tallies.get(key.reader)!;
        tally[accepted ? 'accepted' : 'refused'] += 1;
        tally.slowest = Math.max(tally.slowest, milliseconds);
        if (fault !== null) void fail(key, fault);
      }
    });
    child.on('exit', (code, signal) => {
      clearInterval(timer);
      if (!isOurs && code !== 0 && current !== null) {
        void fail(current, `the process ended (${signal ?? code})`);
      }
      finished(growth);
    });
  });
}

function printTable(): void {
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, k) => (k === 0 ? String(cell).padEnd(18) : String(cell).padStart(10))).join('');
  process.stdout.write(`${line(['reader', 'inputs', 'accepted', 'refused', 'slowest'])}\n`);
  for (const [name, { accepted, refused, slowest }] of tallies) {
    process.stdout.write(
      `${line([name, accepted + refused, accepted, refused, `${Math.round(slowest)} ms`])}\n`,
    );
  }
}

/** An option that is a whole number. @throws RangeError */
function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least) return value;
  throw new RangeError(`--${option} ${text} must be a whole number, ${least} or more.`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: String(INPUTS) },
      seed: { type: 'string' },
      reader: { type: 'string' },
      index: { type: 'string' },
    },
  });
  const seeds =
    values.seed === undefined ? [FIXED_SEED, randomInt(2, 2 ** 32)] : [wholeNumber('seed', values.seed, 0)];
  const { reader, index } = values;
  if ((reader === undefined) !== (index === undefined)) {
    throw new RangeError('--reader and --index name one input together: give both, or neither.');
  }
  const only: InputKey | null =
    reader === undefined || index === undefined
      ? null
      : { reader: readerNamed(reader).name, seed: seeds[0]!, index: wholeNumber('index', index, 0) };
  const each = Math.ceil(wholeNumber('inputs', values.inputs, 1) / seeds.length);
  const start = performance.now();
  process.stdout.write(`seeds ${seeds.join(' and ')}\n`);
  const parts = only === null ? Array.from({ length: PROCESSES }, (_, part) => part) : [0];
  const growths = await Promise.all(
    parts.map((part) => watch({ seeds, each, part, of: parts.length, only })),
  );
  printTable();
  const expected = only === null ? seeds.reduce((sum, seed) => sum + [...inputs(each, seed)].length, 0) : 1;
  const read = [...tallies.values()].reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
  const seconds = Math.round((performance.now() - start) / 1000);
  const growth = Math.max(...growths);
  process.stdout.write(
    `${read} of ${expected} inputs in ${seconds} s; ${failures.length} failed. ` +
      `Largest growth of a process: ${growth} MiB (bound ${LARGEST_GROWTH} MiB); bound of an input's time: ${LONGEST} ms.\n`,
  );
  process.exitCode =
    failures.length === 0 && expected > 0 && read === expected && growth <= LARGEST_GROWTH ? 0 : 1;
}

const task = process.env.HYPERGRAD_FUZZ_TASK;
await (task === undefined ? main() : work(JSON.parse(task) as Task));
