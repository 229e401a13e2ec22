/** Synthetic sets from files: those that runs leave, and those made elsewhere. */
import { z } from 'zod';
import { DataError } from '../../errors.js';
import type { Dataset } from '../data/dataset.js';
import { decodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import { shown, shownShape } from '../store/shownText.js';
import { parseJson } from '../store/strictJson.js';

/** A set of images, with as much beside it as its file holds. */
export interface GivenSet {
  /** [count, C, H, W], standardised. */
  readonly images: Float32Array;
  readonly count: number;
  readonly image: Dataset['image'];
  /** Target representations [count, D]; null where a teacher is to make them. */
  readonly targets: { readonly data: Float32Array; readonly representation: number } | null;
  /** The learning rate to train on it with; null where the set brings none. */
  readonly innerStep: number | null;
}

/** JSON knows numbers beyond what a float holds. */
const channelNumbers = z
  .custom<number | number[]>((value) => [value].flat().every(Number.isFinite))
  .transform((value) => [value].flat());

const isPositive = (number: number): boolean => number > 0 && number < Number.POSITIVE_INFINITY;

/** One number a channel from the file's metadata; undefined where it has none of that name. */
function readChannelNumbers(
  metadata: Readonly<Record<string, string>>,
  name: 'mean' | 'deviation',
  channels: number,
  path: string,
): readonly number[] | undefined {
  const text = metadata[name];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    value = undefined;
  }
  const numbers = channelNumbers.safeParse(value).data;
  const isFit = numbers?.length === channels && (name === 'mean' || numbers.every((number) => number > 0));
  if (numbers === undefined || !isFit) {
    throw new DataError(
      `${path}: its metadata's ${name} is ${JSON.stringify(shown(text))}; ${channels} number${channels === 1 ? '' : 's'}${name === 'deviation' ? ' above 0' : ''} in JSON, one a channel, are needed.`,
    );
  }
  return numbers;
}

function requireFloats(tensor: NamedTensor, name: string, path: string): Float32Array {
  const { data } = tensor;
  if (!(data instanceof Float32Array)) throw new DataError(`${path}: ${name} is of type I32; F32 is needed.`);
  const place = data.findIndex((value) => !Number.isFinite(value));
  if (place >= 0) throw new DataError(`${path}: element ${place} of ${name} is ${data[place]}.`);
  return data;
}

/**
 * Reads a set from a safetensors file's bytes: `images` [n, C, H, W]; where they are there, `targets` [n, D] and `innerStep` [1].
 * With `mean` and `deviation` in the metadata (JSON, one number a channel) the images are taken to be in 0 … 1 and are
 * standardised by them; without, to be standardised already.
 *
 * @throws DataError for a file or tensors that do not fit.
 */
export function decodeSet(bytes: Uint8Array, path: string): GivenSet {
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const found = tensors.get('images');
  if (found === undefined) {
    throw new DataError(
      `${path} holds no tensor 'images', but ${shown([...tensors.keys()].join(', ')) || 'nothing'}.`,
    );
  }
  const [count, channels, height, width] = found.shape as [number, number, number, number];
  if (found.shape.length !== 4 || found.data.length === 0) {
    throw new DataError(
      `${path}: images is ${shownShape(found.shape)}; [n, channels, height, width] is needed.`,
    );
  }
  const given = requireFloats(found, 'images', path);
  const mean = readChannelNumbers(metadata, 'mean', channels, path);
  const deviation = readChannelNumbers(metadata, 'deviation', channels, path);
  if ((mean === undefined) !== (deviation === undefined)) {
    throw new DataError(
      `${path}: its metadata has only one of mean and deviation; images need both or neither.`,
    );
  }
  const area = height * width;
  const images =
    mean === undefined || deviation === undefined
      ? given
      : given.map((pixel, k) => {
          const channel = Math.floor(k / area) % channels;
          return (pixel - mean[channel]!) / deviation[channel]!;
        });

  const targets = tensors.get('targets');
  if (
    targets !== undefined &&
    (targets.shape.length !== 2 || targets.shape[0] !== count || targets.data.length === 0)
  ) {
    throw new DataError(
      `${path}: targets is ${shownShape(targets.shape)}; [${count}, D] is needed, one representation an image.`,
    );
  }
  const innerStep = tensors.get('innerStep');
  if (innerStep !== undefined && (innerStep.data.length !== 1 || !isPositive(innerStep.data[0]!))) {
    throw new DataError(
      `${path}: innerStep is ${shownShape(innerStep.shape)} with ${innerStep.data[0]}; one number above 0 is needed.`,
    );
  }
  return {
    images,
    count,
    image: [channels, height, width],
    targets:
      targets === undefined
        ? null
        : { data: requireFloats(targets, 'targets', path), representation: targets.shape[1]! },
    innerStep: innerStep === undefined ? null : innerStep.data[0]!,
  };
}
