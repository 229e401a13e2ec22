/** Sets that a visitor brings. Each is named by what its file holds, so that the page's address can name it. */
import { DataError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { tableSource } from '../../src/nn/deviceImages.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import { decodeSet } from '../../src/pipeline/evaluate/givenSet.js';
import type { StartingSet } from '../../src/pipeline/stages/starts.js';
import type { DistilSettings } from '../settings.js';
import { type Material, representationsOf } from './prepare.js';

const LARGEST_SET = 100;

export interface BroughtSet {
  readonly start: StartingSet;
  /** Null where the set brings none. */
  readonly innerStep: number | null;
}

/** The settings that a set decides itself. */
export const ownSettings = ({ start, innerStep }: BroughtSet): Partial<DistilSettings> => ({
  images: start.count,
  ...(innerStep === null ? {} : { innerStep }),
});

/**
 * Reads a set's file. Targets of another length than the page's teacher has are made anew by that teacher.
 * @throws DataError for a file that is none, or one of other images.
 */
export async function readBrought(
  device: Device,
  config: Config,
  material: Material,
  file: string,
  bytes: Uint8Array,
): Promise<BroughtSet> {
  const { images, count, image, targets: known, innerStep } = decodeSet(bytes, file);
  const wanted = material.dataset.image;
  if (image.join() !== wanted.join() || count > LARGEST_SET) {
    throw new DataError(
      `${file} holds ${count} images of ${image.join('×')}; this page takes up to ${LARGEST_SET} of ${wanted.join('×')}.`,
    );
  }
  const targets =
    known?.representation === config.teacher.representation
      ? known.data
      : await representationsOf(device, config, material, tableSource(images, count));
  return { start: { images, targets, count }, innerStep };
}
