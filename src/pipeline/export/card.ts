/** The data card: what someone who is given the files has to know, in Markdown. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../config/schema.js';
import { accuracyCells } from '../report/text.js';
import { seedCount, significant } from '../report/wording.js';
import type { ExportedSet } from './exportedSet.js';
import { clippedShare, type ExportedFiles, type ExportFormat, isPicture, PICTURES } from './formats.js';

/** What is known of the terms of the images that a set was made from. Facts, and no legal advice. */
const terms: Readonly<Record<Config['data']['source'], string>> = {
  mnist:
    'MNIST by Yann LeCun, Corinna Cortes and Christopher Burges; usually distributed under Creative Commons Attribution-ShareAlike 3.0.',
  cifar10:
    'CIFAR-10 by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton; published without an explicit licence, with the wish to cite "Learning Multiple Layers of Features from Tiny Images" (2009).',
  cifar100:
    'CIFAR-100 by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton; published without an explicit licence, with the wish to cite "Learning Multiple Layers of Features from Tiny Images" (2009).',
  'tiny-imagenet':
    'Tiny ImageNet, drawn from ImageNet, whose terms allow non-commercial research and education.',
  idx: 'IDX files whose terms are not known here. Write them down before you pass this set on.',
  folder: 'Images of a folder, whose terms are not known here. Write them down before you pass this set on.',
};

const use: Readonly<Record<ExportFormat, string>> = {
  safetensors: [
    'import json',
    'import numpy as np',
    'from safetensors import safe_open',
    '',
    'with safe_open("synthetic.safetensors", "np") as file:',
    '    images, targets = file.get_tensor("images"), file.get_tensor("targets")',
    '    mean, deviation = (np.array(json.loads(file.metadata()[name]), np.float32) for name in ("mean", "deviation"))',
    '    images = (images - mean[:, None, None]) / deviation[:, None, None]',
    '    learning_rate = float(file.get_tensor("innerStep")[0])',
  ].join('\n'),
  npz: [
    'import numpy as np',
    '',
    'data = np.load("synthetic.npz")',
    'images = (data["images"] - data["mean"][:, None, None]) / data["deviation"][:, None, None]',
    'targets, learning_rate = data["targets"], float(data["innerStep"][0])',
  ].join('\n'),
  png: [
    'from pathlib import Path',
    'import numpy as np',
    'from PIL import Image',
    '',
    'pictures = np.stack([np.asarray(Image.open(path)) for path in sorted(Path("images").glob("*.png"))]) / 255',
    'targets = np.load("targets.npy")  # in the order of the names',
  ].join('\n'),
};

const percent = (share: number): string => `${significant(100 * share)} %`;

function accuracyTable({ rows }: ExportedSet): string[] {
  if (rows.length === 0) return [];
  const [heading, ...encoders] = accuracyCells(rows);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '## What it is worth',
    '',
    `Test accuracy of a linear probe in %, mean ± standard deviation ${seedCount(rows)}, measured by the run:`,
    '',
    line(heading!),
    line(heading!.map((_, k) => (k === 0 ? '---' : '---:'))),
    ...encoders.map(line),
    '',
  ];
}

function lossOfPictures(set: ExportedSet): string {
  return `Pictures hold 8 bits a channel and nothing outside 0 … 1; ${percent(clippedShare(set))} of this set's numbers lie outside and are cut off. For training take safetensors or npz.`;
}

function fileTable(files: ExportedFiles): string[] {
  const listed = [...files].filter(([name]) => !isPicture(name));
  const pictureCount = files.size - listed.length;
  return [
    '| file | bytes | SHA-256 |',
    '| --- | ---: | --- |',
    ...(pictureCount === 0 ? [] : [`| ${PICTURES}/ | | ${pictureCount} pictures |`]),
    ...listed.map(
      ([name, bytes]) =>
        `| ${name} | ${bytes.length} | \`${createHash('sha256').update(bytes).digest('hex')}\` |`,
    ),
  ];
}

/** The settings, without where data and targets lay on the machine that made the set. */
function shownSettings(config: Config): string {
  const { folder } = config.data;
  const { from } = config.targets;
  const data = { ...config.data, folder: folder === null ? null : basename(folder) };
  const names = Array.isArray(from) ? from.map((path) => basename(path)) : from && basename(from);
  return stringify({ ...config, data, targets: { ...config.targets, from: names } }).trimEnd();
}

/** What the arrays are; pictures alone hold no images and no α as numbers. */
function arrayLines({ config, mean, deviation, innerStep }: ExportedSet, hasArrays: boolean): string[] {
  const alpha = `α = ${significant(innerStep)}, the learning rate that the set was distilled for (plain SGD, batches of ${config.distil.batch}).`;
  return [
    ...(hasArrays ? ['- `images`: float32 in 0 … 1; distilled pixels may lie outside.'] : []),
    `- Standardised by mean [${mean.map(significant).join(', ')}] and deviation [${deviation.map(significant).join(', ')}], one number a channel: (image − mean) / deviation.`,
    '- `targets`: what the teacher would say, learnt further where `distil.targets.learningRate` is above 0.',
    hasArrays ? `- \`innerStep\`: ${alpha}` : `- ${alpha}`,
  ];
}

/** The card of a set and of the files that it is handed over in. */
export function dataCard(
  set: ExportedSet,
  formats: readonly ExportFormat[],
  files: ExportedFiles,
  version: string,
): string {
  const { config, count, image, representation, snapshot } = set;
  const [channels, height, width] = image;
  const { source } = config.data;
  const made =
    snapshot === null
      ? `${config.distil.iterations} iterations`
      : `${snapshot} of ${config.distil.iterations} iterations`;
  const lines = [
    `# ${source}, distilled to ${count} images`,
    '',
    `${count} synthetic images of ${channels} × ${height} × ${width} (channels, height, width), each with a target of ${representation} numbers. An encoder that is trained to`,
    `give these targets (mean squared error) approximates one that was pre-trained by self-supervision on the real images. Made by hypergrad ${version} with MKDT`,
    '("Dataset Distillation via Knowledge Distillation: Towards Efficient Self-Supervised Pretraining of Deep Networks", ICLR 2025,',
    `arXiv 2410.02116), ${made}, seed ${config.seed}.`,
    '',
    '## What is in it',
    '',
    ...fileTable(files),
    '',
    ...arrayLines(
      set,
      formats.some((format) => format !== 'png'),
    ),
    ...(formats.includes('png') ? [`- ${lossOfPictures(set)}`] : []),
    '',
    '## How to load it',
    '',
    ...formats.flatMap((format) => ['```python', use[format], '```', '']),
    ...accuracyTable(set),
    '## Where it comes from',
    '',
    terms[source],
    'A distilled image is made from these images, may begin as a copy of one, and may still show one: treat it as a work that derives from them.',
    '',
    '## How to make it again',
    '',
    'Save these settings as `settings.yaml` (`data.folder` names your own copy of the data, `targets.from` that of given targets), and give `hypergrad run settings.yaml`.',
    'The same kind of device gives the same bits.',
    '',
    '```yaml',
    shownSettings(config),
    '```',
  ];
  return `${lines.join('\n')}\n`;
}
