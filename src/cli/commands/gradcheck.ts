/** The command `hypergrad gradcheck`: the engine's gradients held against float64, differences and each other. */
import { Command, Option } from 'commander';
import { textTable } from '../../autograd/textTable.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { resolveConfig } from '../../pipeline/config/resolve.js';
import type { Agreement } from '../../pipeline/gradcheck/compare.js';
import { type Gradcheck, gradcheck, type Section, sections } from '../../pipeline/gradcheck/gradcheck.js';
import { modeSteps } from '../../pipeline/gradcheck/modes.js';
import {
  DEFAULT_STEPS,
  type FittedSettings,
  fitSettings,
  type OptimiserName,
  optimiserNames,
  smallConfig,
} from '../../pipeline/gradcheck/settings.js';
import { type DeviceFlags, deviceOf, parseSeed } from '../asked.js';
import { note } from '../help.js';
import { collect, wholeNumber } from '../optionValues.js';
import { writeOutput } from '../outputFile.js';
import { countSteps } from '../steps.js';
import { openTunedDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';

interface GradcheckFlags extends DeviceFlags {
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly steps?: string;
  readonly seed?: string;
  readonly optimiser: OptimiserName;
  /** The file that the numbers are written to; true where they are printed. */
  readonly json?: string | true;
  readonly quiet?: boolean;
}

const parseSteps = wholeNumber('--steps', { least: 1 });

const scientific = (value: number): string => value.toExponential(1);
const verdict = ({ agrees }: Agreement): string => (agrees ? 'ok' : 'FAIL');
const within = (found: Agreement): string =>
  `${scientific(found.error)} (allowed ${scientific(found.tolerance)}) ${verdict(found)}`;

/** Indented lines of a table, its first column to the left and the others to the right. */
const table = (rows: readonly (readonly string[])[]): string[] =>
  textTable(
    rows,
    rows[0]!.map((_, column) => (column === 0 ? 'left' : 'right')),
  )
    .split('\n')
    .map((line) => `  ${line}`);

function settingsLines({ settings, asked }: FittedSettings): string[] {
  const { image, depth, width, representation, images, batch, steps, optimiser, seed } = settings;
  const lines = [
    `ConvNet depth ${depth}, width ${width} on ${image.join('×')} to ${representation}; ${steps} steps of ${optimiser}, ` +
      `${batch} of ${images} random standardised images a step, seed ${seed}`,
  ];
  if (batch !== asked.batch || images !== asked.images) {
    lines.push(
      `(the configuration asks for ${asked.batch} of ${asked.images}: fewer are checked, for float64 is slow)`,
    );
  }
  return lines;
}

/** The sections as text, without the verdict. */
export function describeGradcheck(found: Gradcheck): string {
  const { nested, gradients, modes, memory, truncation } = found;
  const lines = [
    'A gradient of a gradient: d/dx ‖∇θ ℓ(θ, x)‖², x an argument of the inner gradient',
    `  norm ${nested.norm.toPrecision(4)}, not zero; float32 against float64 ${within(nested.device)}; ` +
      `float64 against differences ${within(nested.differences)}`,
    '  asked for what the loss does not read:',
    `  ${nested.refusal}`,
    '',
    'Every gradient: float32 on the device against float64, float64 against central differences (relative errors)',
    ...table([
      ['', 'norm', 'float32 – float64', '', 'float64 – differences', ''],
      ...gradients.map(({ name, norm, device, differences }) => [
        name,
        norm.toExponential(3),
        scientific(device.error),
        verdict(device),
        scientific(differences.error),
        verdict(differences),
      ]),
    ]),
    `  allowed: ${scientific(gradients[0]!.device.tolerance)} and ${scientific(gradients[0]!.differences.tolerance)}`,
    '',
    `Memory modes against each other, N = ${modeSteps(found.settings)}`,
    ...table([
      ['', 'device memory', 'kept steps', 'time', 'difference', ''],
      ...modes.map(({ mode, storage, memory, keptSteps, seconds, difference }) => [
        storage === 'float32' ? mode : `${mode}, ${storage}`,
        formatBytes(memory),
        String(keptSteps),
        `${(seconds * 1e3).toFixed(1)} ms`,
        scientific(difference.error),
        verdict(difference),
      ]),
    ]),
    `  allowed: ${[...new Set(modes.map(({ difference }) => scientific(difference.tolerance)))].join(', with float16 ')}`,
    '',
    'Device memory by the number of steps',
    ...table([
      [
        'N',
        'recompute',
        'growth',
        'stored parameters',
        'full',
        `mixed, ≤ ${formatBytes(memory.budget)}`,
        'kept',
      ],
      ...memory.rows.map((row) => [
        String(row.steps),
        formatBytes(row.recompute),
        `${row.growth} bytes`,
        `${row.storedGrowth} bytes`,
        formatBytes(row.full),
        formatBytes(row.mixed),
        String(row.mixedKeptSteps),
      ]),
    ]),
    `  recompute grows by the stored parameters and ${memory.restPerStep.error.toFixed(0)} bytes a step (losses): ${verdict(memory.restPerStep)}`,
    `  mixed stays within its budget: ${memory.isWithinBudget ? 'ok' : 'FAIL'}`,
    '',
    'Truncated to the last k steps: cosine of the pixel gradient to the exact one, and ‖λ_n‖ where it stops',
    ...table([
      ['k', 'cosine', 'n', '‖λ_n‖'],
      ...truncation.cosines.map((cosine, k) => {
        const n = truncation.cosines.length - 1 - k;
        return [String(k + 1), cosine.toFixed(6), String(n), truncation.adjointNorms[n]!.toExponential(3)];
      }),
    ]),
  ];
  return lines.join('\n');
}

const sectionNames: Readonly<Record<Section, string>> = {
  nested: 'a gradient of a gradient',
  gradients: 'gradients in float32, float64 and by differences (float64 takes its time)',
  modes: 'memory modes',
  memory: 'memory by the number of steps',
  truncation: 'truncation',
};

async function run(flags: GradcheckFlags): Promise<void> {
  const seed = flags.seed === undefined ? undefined : parseSeed(flags.seed);
  const steps = flags.steps === undefined ? DEFAULT_STEPS : parseSteps(flags.steps);
  const sets = flags.set ?? [];
  const { say, remark, step } = voiceOf({ ...flags, json: flags.json === true });
  const config =
    flags.preset === undefined
      ? smallConfig(sets, seed)
      : resolveConfig({ preset: flags.preset, sets, ...(seed === undefined ? {} : { seed }) });
  const fitted = fitSettings(config, { steps, optimiser: flags.optimiser });
  const { device, description } = await openTunedDevice(deviceOf(flags));
  try {
    remark(`${description}\n${settingsLines(fitted).join('\n')}\n`);
    const begin = countSteps(sections.length, (what) => step(`checking ${what}`));
    const found = await gradcheck(device, fitted, (section) => begin(sectionNames[section]));
    say(`${describeGradcheck(found)}\n`);
    say(found.agrees ? 'all agree' : 'something does not agree: see FAIL above');
    const numbers = `${JSON.stringify(found, null, 2)}\n`;
    if (flags.json === true) process.stdout.write(numbers);
    else if (flags.json !== undefined) await writeOutput('--json', flags.json, numbers);
    process.exitCode = found.agrees ? 0 : 1;
  } finally {
    device.close();
  }
}

/** The command `hypergrad gradcheck`. */
export function gradcheckCommand(): Command {
  return new Command('gradcheck')
    .description('hold gradients through training against float64, central differences and each other')
    .option('--preset <name>', "the preset's student and inner loop; a tiny ConvNet where none is named")
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect)
    .option('--steps <count>', `number of inner steps N (default: ${DEFAULT_STEPS})`)
    .option('--seed <number>', 'seed of images, parameters and directions')
    .addOption(
      new Option('--optimiser <name>', 'the inner optimiser; all but sgd have weight decay')
        .choices(optimiserNames)
        .default('sgd'),
    )
    .option(
      '--json [file]',
      'print all numbers as JSON on stdout, everything else on stderr; or write them to a file as well',
    )
    .addHelpText(
      'after',
      note(
        'Exit code: 0 when everything agrees, 1 when something does not. Works on random images; reads no data.',
      ),
    )
    .action(run);
}
