/** `npm run bench`: the suites on the device that `openDevice` finds, beside the peers that are installed. */
import { writeFile } from 'node:fs/promises';
import { Argument, Command } from 'commander';
import { openTunedDevice } from '../src/cli/tunedDevice.js';
import { HypergradError } from '../src/errors.js';
import { quote } from '../src/pipeline/shellWord.js';
import { reasonOf } from './contender.js';
import { documentation } from './docs.js';
import { parseCount } from './flags.js';
import { describeMachine } from './machine.js';
import { arePeersInstalled, NOT_INSTALLED } from './peers/load.js';
import { openPeers } from './peers/open.js';
import { type Row, rowText } from './rows.js';
import { hypergradientSuite } from './suites/hypergradient.js';
import { kernelSuite } from './suites/kernels.js';
import { pipelineSuite } from './suites/pipeline.js';
import { stepSuite } from './suites/step.js';
import type { Suite } from './suites/suite.js';

const suites: Readonly<Record<string, Suite>> = {
  kernels: kernelSuite,
  step: stepSuite,
  hypergradient: hypergradientSuite,
  pipeline: pipelineSuite,
};
/** The pipeline's times are our own. */
const suitesWithPeers = ['kernels', 'step', 'hypergradient'];
const DOCUMENTATION = 'docs/benchmarks.md';

interface Flags {
  readonly json?: string;
  readonly docs?: string | true;
  readonly rounds: number;
  readonly preset: string;
  readonly python: string;
  readonly peers: boolean;
}

/** What was typed, less where the results are put. */
function commandOf(names: readonly string[], { rounds, peers, ...others }: Flags, command: Command): string {
  const typed = (['preset', 'python'] as const).filter(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  const words = typed.flatMap((name) => [`--${name}`, quote(others[name])]);
  return ['npm run bench --', ...names, '--rounds', rounds, ...words, ...(peers ? [] : ['--no-peers'])].join(
    ' ',
  );
}

async function bench(chosen: readonly string[], flags: Flags, typed: Command): Promise<void> {
  const names = chosen.length > 0 ? chosen : Object.keys(suites);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const { device, description } = await openTunedDevice();
  const wantsPeers = flags.peers && names.some((name) => suitesWithPeers.includes(name));
  if (wantsPeers && !arePeersInstalled()) say(`The peers are ${NOT_INSTALLED}`);
  const peers = wantsPeers ? await openPeers(flags.python) : [];
  const rows: Row[] = [];
  try {
    say(description);
    for (const peer of peers) {
      say('why' in peer ? `${peer.name}: none, ${peer.why}` : `${peer.name}: ${peer.version}`);
    }
    for (const name of names) {
      await suites[name]!({
        device,
        peers,
        rounds: flags.rounds,
        preset: flags.preset,
        report(added) {
          rows.push(...added);
          for (const row of added) say(rowText(row));
        },
      });
    }
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
    if (flags.docs !== undefined) {
      const machine = describeMachine(description, peers);
      const text = documentation(rows, {
        ...machine,
        command: commandOf(names, flags, typed),
        rounds: flags.rounds,
      });
      await writeFile(flags.docs === true ? DOCUMENTATION : flags.docs, text);
    }
  } finally {
    for (const peer of peers) if (!('why' in peer)) peer.close();
    device.close();
  }
}

const program = new Command('npm run bench --')
  .description('measure hypergrad on this machine, beside other libraries in the same run')
  .addArgument(new Argument('[suites...]', 'which suites; all by default').choices(Object.keys(suites)))
  .option('--json <file>', 'write the rows as JSON')
  .option('--docs [file]', `write the page of figures; ${DOCUMENTATION} by default`)
  .option('--rounds <number>', 'samples of each side; their median counts', parseCount, 9)
  .option('--preset <name>', 'what the pipeline runs', 'tiny-test')
  .option('--python <command>', 'the Python whose PyTorch is measured', 'python3')
  .option('--no-peers', 'measure hypergrad alone')
  .action(bench);

try {
  await program.parseAsync();
  // Libraries that were measured may leave timers and threads behind.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof HypergradError ? error.message : reasonOf(error)}\n`);
  process.exit(error instanceof HypergradError ? error.exitCode : 1);
}
