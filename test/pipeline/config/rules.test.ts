import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { imageShape, requireFit, requireImageShape } from '../../../src/pipeline/config/rules.js';

const config = (...sets: string[]) => resolveConfig({ preset: 'tiny-test', sets });

describe("the images' shape", () => {
  it.each<[string[], readonly number[] | null]>([
    [
      ['data.source=mnist', 'data.pool=2'],
      [1, 14, 14],
    ],
    [
      ['data.source=cifar100', 'data.pool=1'],
      [3, 32, 32],
    ],
    [
      ['data.source=tiny-imagenet', 'data.pool=2'],
      [3, 32, 32],
    ],
    [
      ['data.source=tiny-imagenet', 'data.pool=2', 'data.resize.side=48'],
      [3, 24, 24],
    ],
    [['data.source=folder', 'data.pool=1'], null],
    [
      ['data.source=folder', 'data.pool=4', 'data.resize.side=64', 'data.channels=gray'],
      [1, 16, 16],
    ],
    [['data.source=idx', 'data.pool=1'], null],
  ])('of %j is %j', (sets, shape) => {
    expect(imageShape(config(...sets).data)).toEqual(shape);
  });

  it('is that of MNIST for other sets of its format, where no files are read', () => {
    expect(requireImageShape(config('data.source=idx', 'data.pool=2').data)).toEqual([1, 14, 14]);
    expect(() => requireImageShape(config('data.source=idx', 'data.pool=3').data)).toThrow(/divides 28/);
  });

  it('is asked for in vain where only the files tell it', () => {
    expect(() => requireImageShape(config('data.source=folder', 'data.pool=1').data)).toThrow(ConfigError);
  });
});

describe('what is checked once the data is read', () => {
  const images = (height: number, width: number, count = 200) => ({
    image: [3, height, width] as const,
    train: { count },
  });

  it('is the depth, where the size was not known before', () => {
    const deep = config('data.source=folder', 'data.pool=1', 'student.depth=3');
    expect(() => requireFit(deep, images(8, 9))).not.toThrow();
    expect(() => requireFit(deep, images(9, 7))).toThrow(
      /^student\.depth = 3 must be at most 2 for images of 9×7 pixels/,
    );
  });

  it('is the batches, where all images are taken', () => {
    const all = config('data.train=null');
    expect(() => requireFit(all, images(7, 7))).not.toThrow();
    expect(() => requireFit(all, images(7, 7, 18))).toThrow(
      /^experts\.batch = 20 must not exceed .* 18 training/,
    );
    expect(() => requireFit(all, images(7, 7, 18))).toThrow(ConfigError);
  });
});

it.each([
  ['data.resize.side=16', 'fits folder and tiny-imagenet only'],
  ['data.resize.rule=crop', 'must be cover, contain or stretch'],
  ['data.channels=cmyk', 'must be rgb or gray'],
  ['data.holdOut=1', 'must be a number above 0 and below 1'],
  ['data.holdOut=0', 'must be a number above 0 and below 1'],
  ['data.memory=-1', 'must be a number from 0'],
])('refuses %s', (setting, message) => {
  expect(() => config(setting)).toThrow(message);
});
