import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { type DataReport, inspectData } from '../../pipeline/data/inspect.js';
import { sampleSheet } from '../../pipeline/data/sampleSheet.js';
import { type SourceName, sourceNames } from '../../pipeline/data/sources.js';
import { importSharp } from '../../pipeline/optionalImports.js';
import { requireEnding } from '../optionValues.js';
import { writeOutput } from '../outputFile.js';
import { voiceOf } from '../voice.js';

/** What the user typed after `hypergrad data DIR`. */
interface DataFlags {
  readonly source?: SourceName;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Classes that are listed before the rest is only counted. */
const MOST_CLASSES = 20;

const kinds: Record<SourceName, string> = {
  mnist: "MNIST's IDX files",
  cifar10: "CIFAR-10's binary files",
  cifar100: "CIFAR-100's binary files",
  'tiny-imagenet': "Tiny ImageNet's folder",
  idx: 'IDX files',
  folder: 'PNG and JPEG files',
};

const figures = (values: readonly number[]): string => values.map((value) => value.toFixed(4)).join(', ');

/** A report in plain text, a line a fact. */
export function describeData(report: DataReport): string {
  const { source, train, test, image, classes, measured, mean, deviation, remarks, isColour } = report;
  const [channels, height, width] = image;
  const colour = channels === 1 ? 'gray' : isColour ? 'in colour' : 'gray in every measured image';
  const facts: [string, string][] = [
    ['source', `${source} (${kinds[source]})`],
    ['training', `${train} images`],
    ['test', test === null ? 'none: a share of the images is held out (data.holdOut)' : `${test} images`],
    ['size', `${height}×${width} pixels, ${colour}${report.sizes.length > 1 ? ' (after data.resize)' : ''}`],
    [
      'mean',
      `${figures(mean)} of 1, over ${measured === train ? 'all' : `${measured} of the`} training images`,
    ],
    ['deviation', figures(deviation)],
  ];
  if (classes.length > 0) {
    const shown = classes
      .slice(0, MOST_CLASSES)
      .map((one) => `${one.name} ${one.train}${test === null ? '' : ` + ${one.test}`}`);
    const rest = classes.length - shown.length;
    facts.push([
      'classes',
      `${classes.length}: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more (--json lists all)` : ''}`,
    ]);
  }
  return [
    ...facts.map(([name, fact]) => `${name.padEnd(10)}${fact}`),
    ...remarks.map((remark) => `\n${remark}`),
    `\nIn a configuration:\n${stringify({ data: report.settings }).trimEnd()}`,
  ].join('\n');
}

async function data(folder: string, flags: DataFlags): Promise<void> {
  if (flags.out !== undefined) requireEnding('--out', flags.out, '.png');
  if (flags.out !== undefined) await importSharp();
  const { report, raw } = await inspectData(folder, flags.source);
  const { say } = voiceOf(flags);
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else say(describeData(report));
  if (flags.out === undefined) return;
  const sheet = await sampleSheet(raw.train, report.classes.length);
  await writeOutput('--out', flags.out, sheet);
  if (!flags.json) say(`\nThe first images of each class: ${flags.out}`);
}

/** The command `hypergrad data`. */
export function dataCommand(): Command {
  return new Command('data')
    .description('look into a folder of images: what it holds, whether a run can read it, and what to set')
    .argument('<folder>', "folder of a dataset's files, or of PNG and JPEG files")
    .addOption(
      new Option('--source <name>', 'what the folder holds; default: what its files look like').choices(
        sourceNames,
      ),
    )
    .option('--out <file>', 'write a picture of the first images of each class (.png)')
    .option('--json', 'print the report as JSON')
    .action(data);
}
