/** The commands `hypergrad preview …`: a look at what a configuration does before it runs. */
import { Command } from 'commander';
import { ConfigError } from '../../errors.js';
import type { DeviceChoice } from '../../gpu/node/openDevice.js';
import { resolveConfig } from '../../pipeline/config/resolve.js';
import { loadDataset } from '../../pipeline/data/dataset.js';
import { importSharp } from '../../pipeline/optionalImports.js';
import { previewSheet } from '../../pipeline/preview/viewSheet.js';
import { encodePng } from '../../pipeline/store/png.js';
import { writeOutput } from '../outputFile.js';
import { collect } from '../repeatable.js';
import { openTunedDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';
import { DEFAULT_PRESET, parseSeed } from './run.js';

/** What the user typed after `hypergrad preview augmentations`, the file aside. */
interface PreviewFlags {
  readonly preset?: string;
  readonly data?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly images: number;
  readonly views: number;
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly device?: DeviceChoice;
}

/** What `--json` prints. */
interface Picture {
  readonly file: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Images shown, and views of each. */
  readonly images: number;
  readonly views: number;
}

/** More would make no picture that can be looked at. */
const MOST = 32;

const countOf =
  (option: string) =>
  (text: string): number => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < 1 || count > MOST) {
      throw new ConfigError(`${option} ${JSON.stringify(text)} must be a whole number from 1 to ${MOST}.`);
    }
    return count;
  };

async function previewAugmentations(file: string | undefined, flags: PreviewFlags): Promise<void> {
  const { out } = flags;
  if (!/\.png$/i.test(out)) {
    throw new ConfigError(`--out ${JSON.stringify(out)} must be the name of a .png file.`);
  }
  await importSharp();
  const config = resolveConfig({
    preset: flags.preset ?? (file === undefined ? DEFAULT_PRESET : undefined),
    file,
    sets: flags.set ?? [],
    seed: flags.seed === undefined ? undefined : parseSeed(flags.seed),
    dataFolder: flags.data,
  });
  let picture: Picture;
  const { device } = await openTunedDevice(flags.device === undefined ? {} : { choice: flags.device });
  try {
    const dataset = await loadDataset(config.data, config.seed);
    try {
      const { pixels, width, height, channels } = await previewSheet(device, config, dataset, flags);
      picture = { file: out, width, height, images: flags.images, views: flags.views };
      const png = await encodePng(pixels, width, height, channels);
      await writeOutput('--out', out, png);
    } finally {
      dataset.close();
    }
  } finally {
    device.close();
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(picture, null, 2)}\n`);
  else voiceOf(flags).say(`Training images on the left, and random views of each: ${out}`);
}

function augmentationsCommand(): Command {
  return new Command('augmentations')
    .description(
      "a picture of training images and of random views of each, as the teacher's training sees them",
    )
    .argument('[config]', `configuration file in YAML or JSON; without one, the preset ${DEFAULT_PRESET}`)
    .option('--preset <name>', 'start from a preset')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--seed <number>', 'seed of every random stream')
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect)
    .option('--images <count>', 'images shown, one a row', countOf('--images'), 8)
    .option('--views <count>', 'views of each', countOf('--views'), 8)
    .option('--out <file>', 'where the picture is written (.png)', 'augmentations.png')
    .option('--json', 'print the name of the picture and its size as JSON')
    .action(previewAugmentations);
}

/** The command `hypergrad preview` with what it can show. */
export function previewCommand(): Command {
  return new Command('preview')
    .description('see what a configuration does before it runs')
    .addCommand(augmentationsCommand());
}
