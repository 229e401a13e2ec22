/** The command line: its commands, the options that they share, and their help. */
import { Command, Option } from 'commander';
import { version } from '../../package.json';
import type { DeviceChoice } from '../gpu/node/openDevice.js';
import { describePreset, presetNames } from '../pipeline/config/resolve.js';
import type { StudyName } from '../pipeline/progress.js';
import { compareCommand } from './commands/compare.js';
import { dataCommand } from './commands/data.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { exportCommand } from './commands/export.js';
import { gradcheckCommand } from './commands/gradcheck.js';
import { previewCommand } from './commands/preview.js';
import { runCommand } from './commands/run.js';
import { studyCommand } from './commands/study.js';
import { tuneCommand } from './commands/tune.js';
import { verifyCommand } from './commands/verify.js';
import { usageSentence } from './errors.js';

const deviceChoices = ['auto', 'hardware', 'software', 'bundled'] as const satisfies readonly DeviceChoice[];

const deviceOption = () =>
  new Option(
    '--device <choice>',
    'which device computes; default: the environment variable HYPERGRAD_DEVICE, else auto',
  ).choices(deviceChoices);

/** Help's closing part: what to type, and what it does. */
function examples(lines: readonly (readonly [command: string, effect: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return ['', 'Examples:', ...lines.map(([command, effect]) => `  ${command.padEnd(width)}  ${effect}`)].join(
    '\n',
  );
}

function presetList(): string {
  const width = Math.max(...presetNames.map((name) => name.length));
  return [
    '',
    'Presets:',
    ...presetNames.map((name) => `  ${name.padEnd(width)}  ${describePreset(name)}`),
  ].join('\n');
}

const studyExamples: Readonly<Record<StudyName, readonly (readonly [command: string, effect: string])[]>> = {
  variance: [
    ['hypergrad study variance', 'on 2 000 digits, in minutes'],
    ['hypergrad study variance --run runs/mnist-small', "with a finished run's teacher"],
    ['hypergrad study variance --batch-sizes 8,32,128 --batches 64', 'other batches, more of them'],
  ],
  horizon: [
    ['hypergrad study horizon', 'N = 5, 10, 20 and M = 1, 2, 3 on 2 000 digits, in minutes'],
    ['hypergrad study horizon --run runs/mnist-small', "with a finished run's experts and subset"],
    ['hypergrad study horizon --steps 10,40 --expert-epochs 3 --iterations 50', 'longer, and closer'],
  ],
};

/** Makes a command throw instead of ending the process, and say what does not fit in one sentence. */
function speakPlainly(command: Command, name: string): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(usageSentence(text, name)) });
}

/**
 * The program `hypergrad`, not yet run. Parsing throws `CommanderError` for a command line that does not fit
 * (its sentence is on stderr by then) and after help or version; a command's own errors pass through.
 */
export function createProgram(): Command {
  const program = new Command('hypergrad')
    .description(
      'Distils a dataset into a few synthetic images by differentiating through training on WebGPU.',
    )
    .version(version)
    .option('--debug', 'show the stack trace of an error (also: HYPERGRAD_DEBUG=1)')
    .addHelpText(
      'after',
      examples([
        ['hypergrad run --preset mnist-small', 'distil and evaluate; the report is in runs/mnist-small'],
        ['hypergrad data photos/', 'see what a folder of images holds, and how to use it'],
        ['hypergrad preview augmentations', 'see the random views that a teacher learns from'],
        ['hypergrad verify cases/', 'replay reference cases on this device'],
        ['hypergrad gradcheck', 'hold gradients through training against float64'],
        ['hypergrad study variance', 'measure the argument of the method on real data'],
        ['hypergrad tune', 'find the block sizes that suit this adapter, for all later runs'],
        ['hypergrad doctor', 'see what this machine offers'],
      ]),
    );

  const run = runCommand()
    .addOption(deviceOption())
    .addHelpText('after', presetList())
    .addHelpText(
      'after',
      examples([
        ['hypergrad run --preset tiny-test', 'every stage in seconds'],
        [
          'hypergrad run --preset cifar10-small --data cifar-10-batches-bin',
          'CIFAR-10 from its binary files',
        ],
        ['hypergrad run my.yaml --seed 2 --out runs/second', 'a configuration file, another seed'],
        ['hypergrad run --preset mnist-small --set distil.steps=30', 'one value changed'],
        ['hypergrad run my.yaml --dry-run', 'how long, how much memory and disk; nothing is written'],
      ]),
    );
  const data = dataCommand().addHelpText(
    'after',
    examples([
      ['hypergrad data photos/ --out photos.png', 'one sub-folder a class; with a picture of each'],
      ['hypergrad data fashion-mnist/ --json', 'IDX files; for a program to read'],
    ]),
  );
  const verify = verifyCommand()
    .addOption(deviceOption())
    .addHelpText(
      'after',
      examples([
        ['hypergrad verify cases/', 'every .safetensors file of a folder'],
        ['hypergrad verify case.safetensors --json', 'all numbers of one case'],
      ]),
    );
  const evaluate = evaluateCommand()
    .addOption(deviceOption())
    .addHelpText(
      'after',
      examples([
        ['hypergrad evaluate runs/mnist-small --set evaluate.seeds=10', "a run's set again, over more seeds"],
        [
          'hypergrad evaluate runs/mnist-small --on fashion --set data.source=idx',
          'on other images of its size',
        ],
        ['hypergrad evaluate set.safetensors --teacher runs/mnist-small', 'a set made elsewhere'],
      ]),
    );
  const compare = compareCommand().addHelpText(
    'after',
    examples([
      ['hypergrad compare runs/a runs/b', 'side by side; over both where they differ in the seed alone'],
      ['hypergrad compare runs/* --csv > runs.csv', 'every number, for a spreadsheet'],
    ]),
  );
  const exported = exportCommand().addHelpText(
    'after',
    examples([
      [
        'hypergrad export runs/mnist-small --to npz png',
        'arrays for NumPy and pictures, in exports/mnist-small',
      ],
      ['hypergrad export runs/mnist-small --to safetensors --out handed-over', 'a file that evaluate takes'],
    ]),
  );
  const gradcheck = gradcheckCommand()
    .addOption(deviceOption())
    .addHelpText(
      'after',
      examples([
        ['hypergrad gradcheck', 'a tiny student, 5 steps, in seconds'],
        ['hypergrad gradcheck --steps 40 --optimiser momentum', 'longer, with momentum and weight decay'],
        ['hypergrad gradcheck --preset mnist-small --steps 3', "a preset's own student"],
      ]),
    );
  const tune = tuneCommand()
    .addOption(deviceOption())
    .addHelpText(
      'after',
      examples([
        ['hypergrad tune', "for the default preset's shapes"],
        ['hypergrad tune --preset cifar10-small --dry-run', 'for larger ones, only to see'],
        ['hypergrad tune --reset', 'back to the usual block sizes'],
      ]),
    );
  const doctor = doctorCommand().addHelpText(
    'after',
    examples([
      ['hypergrad doctor', 'in plain words'],
      ['HYPERGRAD_DEVICE=software hypergrad doctor --json', 'the software device, for a program to read'],
    ]),
  );

  const study = studyCommand().addHelpText(
    'after',
    examples([
      ['hypergrad study variance --preset mnist-small', 'gradients and trajectories under both losses'],
      ['hypergrad study horizon --run runs/mnist-small', "N, M and truncation, with a run's experts"],
    ]),
  );
  for (const each of study.commands) {
    each.addOption(deviceOption()).addHelpText('after', examples(studyExamples[each.name() as StudyName]));
    speakPlainly(each, `hypergrad study ${each.name()}`);
  }

  const previewExamples = examples([
    ['hypergrad preview augmentations --preset mnist-small', 'the picture augmentations.png'],
    ['hypergrad preview augmentations my.yaml --set teacher.augmentation.hue=0.2', 'one value changed'],
  ]);
  const preview = previewCommand().addHelpText('after', previewExamples);
  for (const each of preview.commands) {
    each.addOption(deviceOption()).addHelpText('after', previewExamples);
    speakPlainly(each, `hypergrad preview ${each.name()}`);
  }

  speakPlainly(program, 'hypergrad');
  for (const command of [
    run,
    data,
    preview,
    evaluate,
    compare,
    exported,
    verify,
    gradcheck,
    tune,
    study,
    doctor,
  ]) {
    speakPlainly(command, `hypergrad ${command.name()}`);
    program.addCommand(command);
  }
  return program;
}
