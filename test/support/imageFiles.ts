/** Writes datasets as their makers publish them, small. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { type Config, configSchema } from '../../src/pipeline/config/schema.js';

/** An IDX file's bytes. */
export function idx(shape: readonly number[], data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  bytes.set(Array.from(data), 4 + 4 * shape.length);
  return bytes;
}

/** Writes files under a folder, making the folders that their names need; gives the folder back. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export interface Picture {
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3 | 4;
  /** A colour for all pixels; noise named by a number otherwise. */
  readonly colour?: readonly number[];
  readonly noise?: number;
}

function picture({ width = 4, height = 4, channels = 3, colour, noise = 1 }: Picture): Sharp {
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, at) =>
    colour === undefined ? (at * at * 31 + at * 7 * noise + noise) % 256 : colour[at % channels]!,
  );
  const made = sharp(pixels, { raw: { width, height, channels } });
  return channels === 1 ? made.toColourspace('b-w') : made;
}

export const png = (options: Picture = {}): Promise<Uint8Array> => picture(options).png().toBuffer();
export const jpeg = (options: Picture = {}): Promise<Uint8Array> =>
  picture(options).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();

/** The data section for all images of a source, unpooled. */
export function dataOf(
  source: Config['data']['source'],
  folder: string | null,
  overrides: Partial<Config['data']> = {},
): Config['data'] {
  const defaults = configSchema.parse({}).data;
  return { ...defaults, source, folder, train: null, test: null, pool: 1, ...overrides };
}
