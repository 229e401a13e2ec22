/** `npm run results`: runs presets with several seeds, every baseline among them, and writes docs/results.md. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { commandOf } from '../../src/cli/commands/run.js';
import { terminalProgress } from '../../src/cli/terminalProgress.js';
import { openTunedDevice } from '../../src/cli/tunedDevice.js';
import { ConfigError, HypergradError, messageOf } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { readRun } from '../../src/pipeline/compare/readRun.js';
import { describePreset, resolveConfig } from '../../src/pipeline/config/resolve.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import { evaluationRows } from '../../src/pipeline/config/sections/evaluate.js';
import { type Dataset, loadDataset } from '../../src/pipeline/data/dataset.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { quote } from '../../src/pipeline/shellWord.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { parseCount } from '../flags.js';
import { describeMachine } from '../machine.js';
import { type FinishedRun, type PresetRuns, resultsDocument } from './document.js';

interface Flags {
  readonly seeds: number;
  readonly data?: string;
  readonly out: string;
  readonly docs: string;
  readonly note?: string;
}

/** Every baseline, the one that the presets leave out because it takes longest among them. */
const SETS = [`evaluate.rows=[${evaluationRows.join(', ')}]`];

/** One run: its configuration, and the folder of images where it needs one. Throws `ConfigError` where it has none. */
function configOf(
  preset: string,
  seed: number,
  flags: Flags,
): { readonly config: Config; readonly dataFolder: string | undefined } {
  const own = resolveConfig({ preset, sets: SETS, seed });
  if (own.data.source === 'mnist') return { config: own, dataFolder: undefined };
  if (flags.data === undefined) {
    throw new ConfigError(
      `The preset ${preset} reads ${own.data.source}, whose files the package does not bring. Name their folder with --data FOLDER.`,
    );
  }
  const config = resolveConfig({ preset, sets: SETS, seed, dataFolder: flags.data });
  return { config, dataFolder: flags.data };
}

/** Runs what of it is not done yet. The folder is a run's, so the command may be ended and given again. */
async function runOnce(device: Device, preset: string, seed: number, flags: Flags): Promise<FinishedRun> {
  const { config, dataFolder } = configOf(preset, seed, flags);
  const command = `npx ${commandOf(undefined, {
    preset,
    seed: String(seed),
    set: SETS,
    ...(dataFolder === undefined ? {} : { data: dataFolder }),
  })}`;
  const path = join(flags.out, `${preset}-${seed}`);
  const folder = await RunFolder.open(path);
  const progress = terminalProgress(process.stderr);
  let dataset: Dataset | undefined;
  try {
    dataset = await loadDataset(config.data, config.seed);
    process.stdout.write(`${preset}, seed ${seed}\n`);
    const result = await runPipeline({ config, dataset, folder, device, command, progress });
    return { compared: { ...(await readRun(path)), name: `seed ${seed}` }, result, command };
  } finally {
    progress.close();
    dataset?.close();
    await folder.close();
  }
}

async function results(presets: readonly string[], flags: Flags): Promise<void> {
  // What does not fit is said before the first run, not hours later before the last.
  for (const preset of presets) configOf(preset, 1, flags);
  const { device, description } = await openTunedDevice();
  try {
    process.stdout.write(`${description}\n`);
    const done: PresetRuns[] = [];
    for (const preset of presets) {
      const runs: FinishedRun[] = [];
      for (let seed = 1; seed <= flags.seeds; seed++) runs.push(await runOnce(device, preset, seed, flags));
      done.push({ preset, description: describePreset(preset), runs });
    }
    const data = flags.data === undefined ? [] : ['--data', quote(flags.data)];
    const command = ['npm run results --', ...presets, '--seeds', flags.seeds, ...data].join(' ');
    const machine = describeMachine(description, []);
    await writeFile(flags.docs, resultsDocument(done, machine, { command, note: flags.note }));
    process.stdout.write(`${flags.docs}\n`);
  } finally {
    device.close();
  }
}

const program = new Command('npm run results --')
  .description('run presets with several seeds and every baseline, and write the page of results')
  .argument('[presets...]', 'which presets', ['mnist-small', 'cifar10-small'])
  .option('--seeds <number>', 'runs of each preset: seeds 1, 2, …', parseCount, 3)
  .option('--data <folder>', 'folder of the files of a preset that does not bring its own')
  .option('--out <folder>', 'where the runs are kept; what is done there is not done again', 'runs/results')
  .option('--note <text>', 'what the page is to say of the machine, such as that other work ran beside')
  .option('--docs <file>', 'the page', 'docs/results.md')
  .action(results);

try {
  await program.parseAsync();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof HypergradError ? error.exitCode : 1);
}
