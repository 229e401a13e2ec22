/** The gradient through training: beside the peers, by memory mode, by number of steps, by host and device, and cold. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hypergradientCase } from '../cases/students.js';
import { compare, tolerances } from '../compare.js';
import type { Contender } from '../contender.js';
import { type Measured, measureInTurn, summarise } from '../measure.js';
import type { MetricRow } from '../rows.js';
import { type SuiteContext, subjectOf } from './suite.js';
import { unrolled } from './unrolled.js';

const SUITE = 'hypergradient';
const COMPARED_STEPS = 3;
const MODES_STEPS = 40;
const LENGTHS = [5, 20, 80];
/** The preset's own number of steps. */
const MNIST_SMALL_STEPS = 20;
const MEBIBYTE = 2 ** 20;

async function besidePeers(context: SuiteContext): Promise<void> {
  const given = hypergradientCase('small', COMPARED_STEPS);
  const subject = subjectOf(SUITE, given.name, context);
  const competitors = context.peers.map((peer) =>
    'why' in peer ? peer : { name: peer.name, forms: peer.hypergradient(given) },
  );
  const contender = await unrolled(context.device, given);
  const { rows, ours } = await compare(subject, contender, competitors, {
    rounds: context.rounds,
    tolerance: tolerances.hypergradient,
  });
  contender.release();
  context.report([...rows, { ...subject, metric: 'time', value: ours.medianMs, unit: 'ms' }]);
}

async function measureOwn(
  title: string,
  contenders: ReadonlyMap<string, Contender>,
  rounds: number,
): Promise<Map<string, Measured>> {
  const outcomes = await measureInTurn(`${SUITE}: ${title}`, contenders, rounds);
  return new Map(
    [...outcomes].map(([name, outcome]) => {
      if ('why' in outcome) throw new Error(`${title}, ${name}: ${outcome.why}`);
      return [name, outcome];
    }),
  );
}

/** `mixed` is given half of what `full` needs above `recompute`. */
async function memoryModes(context: SuiteContext): Promise<void> {
  const { device, rounds } = context;
  const given = hypergradientCase('small', MODES_STEPS);
  const subject = subjectOf(SUITE, given.name, context);
  const recompute = await unrolled(device, given, 'recompute');
  const full = await unrolled(device, given, 'full');
  const budget = Math.ceil((recompute.unroll.memory + full.unroll.memory) / 2);
  const mixed = await unrolled(device, given, { mixed: budget });
  const modes = new Map([
    ['recompute', recompute],
    ['full', full],
    ['mixed', mixed],
  ]);
  const measured = await measureOwn('memory modes', modes, rounds);
  const baseline = measured.get('recompute')!.medianMs;
  const rows = [...modes].flatMap(([mode, { unroll }]): MetricRow[] => {
    const { medianMs } = measured.get(mode)!;
    return [
      { ...subject, metric: `${mode}: time`, value: medianMs, unit: 'ms' },
      { ...subject, metric: `${mode}: time / recompute's`, value: medianMs / baseline, unit: '×' },
      { ...subject, metric: `${mode}: memory`, value: unroll.memory / MEBIBYTE, unit: 'MiB' },
      { ...subject, metric: `${mode}: steps kept`, value: unroll.keptSteps, unit: `of ${MODES_STEPS}` },
    ];
  });
  for (const { unroll } of modes.values()) unroll.release();
  context.report(rows);
}

async function trajectoryLengths(context: SuiteContext): Promise<void> {
  const contenders = new Map<string, Contender>();
  for (const steps of LENGTHS) {
    contenders.set(String(steps), await unrolled(context.device, hypergradientCase('small', steps)));
  }
  const measured = await measureOwn('length of the trajectory', contenders, context.rounds);
  for (const contender of contenders.values()) await contender.release();
  context.report(
    LENGTHS.map((steps) => ({
      ...subjectOf(SUITE, hypergradientCase('small', steps).name, context),
      metric: 'time a step',
      value: measured.get(String(steps))!.medianMs / steps,
      unit: 'ms',
    })),
  );
}

/** Host time ends when the last command is submitted; what the device still has to do then is not the host's. */
async function hostShare(context: SuiteContext): Promise<void> {
  const { device, rounds } = context;
  const given = hypergradientCase('mnist-small', MNIST_SMALL_STEPS);
  const { unroll, trajectory, run, release } = await unrolled(device, given);
  await run(2);
  const [host, whole]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    unroll.submit(trajectory);
    host.push(performance.now() - start);
    await device.settle();
    whole.push(performance.now() - start);
  }
  await release();
  const subject = subjectOf(SUITE, given.name, context);
  const [hostMs, wholeMs] = [summarise(host).medianMs, summarise(whole).medianMs];
  context.report([
    { ...subject, metric: 'time a step', value: wholeMs / given.steps, unit: 'ms' },
    { ...subject, metric: 'host time a step', value: hostMs / given.steps, unit: 'ms' },
    { ...subject, metric: 'host share of a step', value: (100 * hostMs) / wholeMs, unit: '%' },
  ]);
}

/** Fresh processes, on the bundled SwiftShader whatever else there is. */
async function coldStart(context: SuiteContext): Promise<void> {
  const program = fileURLToPath(new URL('coldStart.js', import.meta.url));
  const start = async () =>
    JSON.parse((await promisify(execFile)(process.execPath, [program])).stdout) as {
      milliseconds: number;
      adapter: string;
    };
  // The very first one may have to unpack the driver into the cache folder.
  const { adapter } = await start();
  const samples: number[] = [];
  for (let round = 0; round < context.rounds; round++) samples.push((await start()).milliseconds);
  context.report([
    {
      suite: SUITE,
      case: 'cold start: from openDevice to the end of the first small step, in a fresh process',
      adapter,
      metric: 'time',
      value: summarise(samples).medianMs,
      unit: 'ms',
    },
  ]);
}

/** Measures the gradient through training. */
export async function hypergradientSuite(context: SuiteContext): Promise<void> {
  await besidePeers(context);
  await memoryModes(context);
  await trajectoryLengths(context);
  await hostShare(context);
  await coldStart(context);
}
