/**
 * `npm run soak [-- --minutes 30] [--out FOLDER]`: distils for so long, with a checkpoint a minute and snapshots, and fails when the
 * rate at the end is not that of the beginning, or memory grows. Leave the machine alone meanwhile: what else runs takes from the
 * rate.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDevice } from '../../src/gpu/node/openDevice.js';
import { memoryFaults, rateFaults, summarise, toMarkdown } from './samples.js';
import { soak } from './soak.js';

const SECONDS_A_MINUTE = 60;
/** Samples in the given time; never more often than each second. */
const SAMPLES = 360;
/** The work of mnist-small's distillation, after stages that are cut short. */
const SETS = [
  ...['teacher.steps=20', 'experts.count=2', 'experts.epochs=8'],
  ...['distil.snapshots=50', 'evaluate.rows=[mkdt]'],
];

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    out: { type: 'string', default: 'runs/soak' },
  },
});
const seconds = SECONDS_A_MINUTE * Number(values.minutes);
if (!(seconds >= 30)) throw new RangeError(`--minutes ${values.minutes} must be a number, 0.5 or more.`);

// A soak begins anew: what it measures is one process.
rmSync(values.out, { recursive: true, force: true });
mkdirSync(values.out, { recursive: true });
const device = await openDevice();
process.stdout.write(`${device.describe()}\n`);
let told = 0;
const samples = await soak({
  device,
  folder: join(values.out, 'run'),
  preset: 'mnist-small',
  sets: SETS,
  seconds,
  sampleSeconds: Math.max(1, seconds / SAMPLES),
  checkpointSeconds: SECONDS_A_MINUTE,
  sampled: ({ seconds: now, iterations }) => {
    if (now < told) return;
    told += SECONDS_A_MINUTE;
    process.stdout.write(`${(now / SECONDS_A_MINUTE).toFixed(0)} min, ${iterations} iterations\n`);
  },
});
const soaked = summarise(samples);
const faults = [...rateFaults(soaked), ...memoryFaults(soaked)];
const about = {
  date: new Date().toISOString().slice(0, 10),
  device: device.adapter.name,
  processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  node: process.version,
  minutes: Number(values.minutes),
  iterations: samples.at(-1)!.iterations,
};
device.close();
const facts = Object.entries(about).map(([name, value]) => `- ${name}: ${value}`);
const text = [...facts, '', toMarkdown(soaked), '', ...(faults.length === 0 ? ['Steady.'] : faults), ''].join(
  '\n',
);
writeFileSync(join(values.out, 'soak.md'), text);
writeFileSync(
  join(values.out, 'soak.json'),
  `${JSON.stringify({ about, ...soaked, faults, samples }, null, 2)}\n`,
);
process.stdout.write(`\n${text}`);
process.exitCode = faults.length === 0 ? 0 : 1;
