import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { decodeSet } from '../../../src/pipeline/evaluate/givenSet.js';
import { floatTensor, integerTensor } from '../../../src/pipeline/stages/context.js';
import { encodeSafetensors, type NamedTensor } from '../../../src/pipeline/store/safetensors.js';
import { expectNear, numbers } from '../../support/compare.js';

const images = floatTensor(numbers(1, 'images', 2 * 3 * 4 * 5), 2, 3, 4, 5);
const targets = floatTensor(numbers(1, 'targets', 2 * 7), 2, 7);
const innerStep = floatTensor(Float32Array.of(0.25), 1);

const decode = (tensors: Record<string, NamedTensor>, metadata: Record<string, string> = {}) =>
  decodeSet(encodeSafetensors(new Map(Object.entries(tensors)), metadata), 'set.safetensors');

describe('a set from a file', () => {
  it('is read with its targets and its learnt rate', () => {
    expect(decode({ images, targets, innerStep, 'start.images': images })).toEqual({
      images: images.data,
      count: 2,
      image: [3, 4, 5],
      targets: { data: targets.data, representation: 7 },
      innerStep: 0.25,
    });
  });

  it('may be images alone', () => {
    expect(decode({ images })).toMatchObject({ targets: null, innerStep: null });
  });

  it('is standardised channel by channel by the mean and the deviation that its metadata holds', () => {
    const mean = [0.25, 0.5, 0.75];
    const deviation = [0.5, 1, 2];
    const metadata = { mean: JSON.stringify(mean), deviation: JSON.stringify(deviation) };
    const want = Array.from(images.data, (pixel, k) => {
      const channel = Math.floor(k / 20) % 3;
      return (pixel - mean[channel]!) / deviation[channel]!;
    });
    expectNear(decode({ images }, metadata).images, want);
    const gray = floatTensor(Float32Array.of(0, 1, 0.5, 0.25), 1, 1, 2, 2);
    expect([...decode({ images: gray }, { mean: '0.5', deviation: '[0.25]' }).images]).toEqual([
      -2, 2, 0, -1,
    ]);
  });

  it.each<[string, Record<string, NamedTensor>, Record<string, string>, RegExp]>([
    ['no images', { pixels: images }, {}, /holds no tensor 'images', but pixels/],
    [
      'images without axes',
      { images: floatTensor(new Float32Array(4), 2, 2) },
      {},
      /images is \[2, 2\]; \[n, channels/,
    ],
    [
      'no image at all',
      { images: floatTensor(new Float32Array(0), 0, 1, 2, 2) },
      {},
      /images is \[0, 1, 2, 2\]/,
    ],
    ['whole numbers', { images: integerTensor(new Int32Array(4), 1, 1, 2, 2) }, {}, /images is of type I32/],
    [
      'numbers that are not finite',
      { images: floatTensor(Float32Array.of(0, Number.NaN), 1, 1, 1, 2) },
      {},
      /element 1 of images is NaN/,
    ],
    [
      'targets of other images',
      { images, targets: floatTensor(new Float32Array(3), 3, 1) },
      {},
      /targets is \[3, 1\]; \[2, D\] is needed/,
    ],
    [
      'a rate of 0',
      { images, innerStep: floatTensor(Float32Array.of(0), 1) },
      {},
      /innerStep is \[1\] with 0; one number above 0/,
    ],
    ['a mean alone', { images }, { mean: '[0, 0, 0]' }, /only one of mean and deviation/],
    [
      'a deviation of 0',
      { images },
      { mean: '[0, 0, 0]', deviation: '[1, 0, 1]' },
      /deviation is "\[1, 0, 1\]"; 3 numbers above 0/,
    ],
    [
      'a mean for fewer channels',
      { images },
      { mean: '[0, 0]', deviation: '[1, 1, 1]' },
      /mean is "\[0, 0\]"; 3 numbers/,
    ],
    ['a mean that is no number', { images }, { mean: 'gray', deviation: '[1, 1, 1]' }, /mean is "gray"/],
  ])('is refused with %s', (_, tensors, metadata, message) => {
    expect(() => decode(tensors, metadata)).toThrow(DataError);
    expect(() => decode(tensors, metadata)).toThrow(message);
    expect(() => decode(tensors, metadata)).toThrow(/^set\.safetensors/);
  });
});
