/**
 * Every example of every help, in a folder that holds what they name: the quick ones here, as a shell would run them. The others take
 * minutes each, or an hour: here they are only parsed, and `npm run test:examples` runs them.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { examplesOf } from '../../src/cli/examples.js';
import { createProgram } from '../../src/cli/program.js';
import { idx, png, writeFiles } from '../support/imageFiles.js';
import { reluCase } from '../support/reluCase.js';

const isWanted = import.meta.env.MODE === 'examples';
const MINUTE = 60_000;

const examples = Object.values(examplesOf).flat();
const linesOf = (wanted: readonly { readonly line: string }[]) => [
  ...new Set(wanted.map(({ line }) => line)),
];

/** A program whose commands do nothing. */
function idleProgram(): Command {
  const program = createProgram();
  const idle = (command: Command): void => {
    if (command.commands.length === 0) command.action(() => {});
    for (const each of command.commands) idle(each);
  };
  idle(program);
  return program;
}

/** An example as a shell takes it apart: `NAME=value`, words, `runs/*`, and a file that the answer goes to. */
function shellWords(line: string) {
  const [command, file = null] = line.split(' > ') as [string, string?];
  const words = command.split(' ');
  const at = words.indexOf('hypergrad');
  const variables = Object.fromEntries(words.slice(0, at).map((word) => word.split('=') as [string, string]));
  const expanded = words.slice(at + 1).flatMap((word) =>
    word.endsWith('/*')
      ? readdirSync(word.slice(0, -2))
          .sort()
          .map((name) => word.slice(0, -1) + name)
      : [word],
  );
  return { words: expanded, variables, file };
}

/** Runs an example in this process; gives what it says, and throws where it does not end well. */
async function run(line: string): Promise<string> {
  const { words, variables, file } = shellWords(line);
  const code = process.exitCode;
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  try {
    process.exitCode = 0;
    await createProgram().parseAsync(words, { from: 'user' });
    expect(process.exitCode).toBe(0);
    const said = stdout.mock.calls.map(([text]) => text).join('');
    if (file !== null) writeFileSync(file, said);
    return said;
  } finally {
    process.exitCode = code;
    stdout.mockRestore();
    stderr.mockRestore();
    for (const name of Object.keys(variables)) vi.stubEnv(name, before[name]);
  }
}
const before = { ...process.env };

/** A run of every stage, in a second or two. */
const MY_CONFIGURATION = `preset: tiny-test
data: { train: 100, test: 50 }
evaluate: { seeds: 1, rows: [mkdt], batch: 5, labels: [0.2] }
`;

/** Two runs that share everything up to the subset. */
const MY_SWEEP = `from: my.yaml
grid: { distil.steps: [1, 2] }
`;

const noise = (count: number, size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count * size }, (_, at) => (at * at * 31 + at * 7 * seed + seed) % 256);
const digits = (count: number, seed: number) => idx([count, 28, 28], noise(count, 784, seed));
const labels = (count: number) =>
  idx(
    [count],
    Array.from({ length: count }, (_, k) => k % 10),
  );
/** CIFAR-10's records: a label, and 3072 values. */
const records = (count: number, seed: number): Uint8Array =>
  noise(count, 3073, seed).map((value, at) => (at % 3073 === 0 ? value % 10 : value));

/** What the examples name, but for runs. */
async function writeInputs(folder: string): Promise<void> {
  const pictures = await Promise.all([1, 2, 3, 4].map((seed) => png({ width: 16, height: 16, noise: seed })));
  const fashion = {
    'train-images-idx3-ubyte': digits(200, 1),
    'train-labels-idx1-ubyte': labels(200),
    't10k-images-idx3-ubyte': digits(200, 2),
    't10k-labels-idx1-ubyte': labels(200),
  };
  await writeFiles(folder, {
    'my.yaml': MY_CONFIGURATION,
    'sweep.yaml': MY_SWEEP,
    'case.safetensors': reluCase(),
    'cases/relu.safetensors': reluCase(),
    ...Object.fromEntries(
      pictures.map((picture, k) => [`photos/${k % 2 === 0 ? 'cats' : 'dogs'}/${k}.png`, picture]),
    ),
  });
  for (const name of ['fashion', 'fashion-mnist']) await writeFiles(join(folder, name), fashion);
}

/** Finished runs, and a set, in the working directory. */
async function makeRuns(): Promise<void> {
  await run('hypergrad run my.yaml --out runs/mnist-small --quiet');
  await run('hypergrad sweep sweep.yaml --quiet');
  cpSync('runs/mnist-small/synthetic.safetensors', 'set.safetensors');
  for (const [seed, name] of [
    [11, 'a'],
    [12, 'b'],
  ] as const) {
    cpSync('runs/mnist-small', join('runs', name), { recursive: true });
    const path = join('runs', name, 'config.yaml');
    // Runs that are compared differ in something.
    writeFileSync(path, readFileSync(path, 'utf8').replace('seed: 1\n', `seed: ${seed}\n`));
  }
}

/** As many images as the preset cifar10-small reads. */
async function writeCifar10(): Promise<void> {
  await writeFiles('cifar-10-batches-bin', {
    'batches.meta.txt': Array.from({ length: 10 }, (_, label) => `class ${label}\n`).join(''),
    ...Object.fromEntries([1, 2, 3, 4, 5].map((batch) => [`data_batch_${batch}.bin`, records(1000, batch)])),
    'test_batch.bin': records(2000, 6),
  });
}

describe('examples', () => {
  const home = process.cwd();
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hypergrad-examples-'));
    await writeInputs(folder);
    process.chdir(folder);
    // What `tune` keeps and removes is not the developer's.
    vi.stubEnv('HYPERGRAD_CACHE', join(folder, '.cache'));
    await (isWanted ? writeCifar10() : makeRuns());
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  });

  const quickOnes = () => {
    it.each(linesOf(examples.filter(({ isSlow }) => !isSlow)))('%s', async (line) => {
      const said = await run(line);
      expect(said).not.toBe('');
      if (line.endsWith('--json')) expect(() => JSON.parse(said)).not.toThrow();
    });

    it.each(linesOf(examples.filter(({ isSlow }) => isSlow)))('(parsed) %s', async (line) => {
      const { words, file } = shellWords(line);
      expect(file).toBeNull();
      await idleProgram().parseAsync(words, { from: 'user' });
    });
  };

  const slowOnes = () => {
    it.each(linesOf(examples.filter(({ isSlow, needsCluster }) => isSlow && !needsCluster)))(
      '%s',
      async (line) => {
        expect(await run(line)).not.toBe('');
      },
      120 * MINUTE,
    );

    it.skip.each(linesOf(examples.filter(({ needsCluster }) => needsCluster)))(
      '%s (on a cluster; npm run test:cluster has one of its own)',
      () => {},
    );
  };

  describe(isWanted ? 'that take long' : 'that are quick', isWanted ? slowOnes : quickOnes);
});
