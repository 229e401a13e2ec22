/** The commands `hypergrad preview …`: a look at what a configuration does before it runs. */
import { Command } from 'commander';
import { loadDataset } from '../../pipeline/data/dataset.js';
import { importSharp } from '../../pipeline/optionalImports.js';
import { previewSheet } from '../../pipeline/preview/viewSheet.js';
import { encodePng } from '../../pipeline/store/png.js';
import { askedConfig, type ConfigFlags, type DeviceFlags, deviceOf, withConfigOptions } from '../asked.js';
import { requireEnding, wholeNumber } from '../optionValues.js';
import { writeOutput } from '../outputFile.js';
import { openTunedDevice } from '../tunedDevice.js';
import { voiceOf } from '../voice.js';

/** What the user typed after `hypergrad preview augmentations`, the file aside. */
interface PreviewFlags extends ConfigFlags, DeviceFlags {
  readonly images: number;
  readonly views: number;
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
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
const COUNTS = { least: 1, most: 32 };

async function previewAugmentations(file: string | undefined, flags: PreviewFlags): Promise<void> {
  const { out } = flags;
  requireEnding('--out', out, '.png');
  await importSharp();
  const config = askedConfig(file, flags);
  let picture: Picture;
  const { device } = await openTunedDevice(deviceOf(flags));
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
  return withConfigOptions(new Command('augmentations'))
    .description(
      "a picture of training images and of random views of each, as the teacher's training sees them",
    )
    .option('--images <count>', 'images shown, one a row', wholeNumber('--images', COUNTS), 8)
    .option('--views <count>', 'views of each', wholeNumber('--views', COUNTS), 8)
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
