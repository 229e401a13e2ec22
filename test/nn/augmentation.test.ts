import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/autograd/interpret.js';
import { VIEW_NUMBERS } from '../../src/autograd/ops/warp.js';
import { f32 } from '../../src/autograd/tape.js';
import { trace } from '../../src/autograd/trace.js';
import {
  type AugmentationSettings,
  type AugmentedImages,
  augmentationTypes,
  augmentImages,
  drawAugmentation,
  drawViews,
  gaussianWeights,
} from '../../src/nn/augmentation.js';
import { expectNear, inner, numbers } from '../support/compare.js';
import { expectFirstDerivatives, expectSecondDerivatives } from '../support/derivatives.js';
import { useDevice } from '../support/device.js';
import { expectSameOnDevice } from '../support/onDevice.js';
import { floats, type OperationCase } from '../support/operations/case.js';

const openedDevice = useDevice();

const still: AugmentationSettings = {
  rotation: 0,
  cropScale: [1, 1],
  cropAspect: [1, 1],
  flip: false,
  contrast: 0,
  brightness: 0,
  saturation: 0,
  hue: 0,
  jitterProbability: 1,
  noise: 0,
  grayscale: 0,
  blur: 0,
  solarise: 0,
};
const everything: AugmentationSettings = {
  rotation: 15,
  cropScale: [0.3, 1],
  cropAspect: [0.75, 4 / 3],
  flip: true,
  contrast: 0.4,
  brightness: 0.4,
  saturation: 0.4,
  hue: 0.1,
  jitterProbability: 0.8,
  noise: 0.05,
  grayscale: 0.3,
  blur: 0.5,
  solarise: 0.5,
};

const colourful: AugmentedImages = {
  image: [3, 5, 6],
  mean: [0.49, 0.48, 0.44],
  deviation: [0.25, 0.24, 0.26],
};
const gray: AugmentedImages = { image: [1, 7, 4], mean: [0.13], deviation: [0.31] };
const LUMINANCE = [0.299, 0.587, 0.114];
const key = { seed: 3, purpose: 'test', index: 5 };

const shapeOf = ({ image }: AugmentedImages, count: number) => [count, ...image];

/** Standardised pixels of random images in 0 … 1. */
function randomImages(images: AugmentedImages, count: number): Float32Array {
  const [channels, height, width] = images.image;
  const area = height * width;
  return numbers(1, 'images', count * channels * area).map((value, place) => {
    const c = Math.floor(place / area) % channels;
    const level = 1 / (1 + Math.exp(-2 * value));
    return (level - images.mean[c]!) / images.deviation[c]!;
  });
}

const unstandardise = ({ image, mean, deviation }: AugmentedImages, pixels: ArrayLike<number>): number[] =>
  Array.from(pixels, (value, place) => {
    const c = Math.floor(place / (image[1] * image[2])) % image[0];
    return value * deviation[c]! + mean[c]!;
  });

/** The views of images in float64. */
function viewsOf(
  images: AugmentedImages,
  pixels: Float32Array,
  settings: AugmentationSettings,
): Float64Array {
  const shape = shapeOf(images, pixels.length / images.image.reduce((a, b) => a * b));
  const types = { x: f32(...shape), ...augmentationTypes(settings, images.image, shape[0]!) };
  const tape = trace(types, ({ x, ...inputs }) => ({ y: augmentImages(x!, inputs, settings) }));
  const drawn = drawAugmentation(key, 'A', shape[0]!, images, settings);
  return interpret(tape, { x: pixels, ...drawn }).y!;
}

const luminances = (pixels: readonly number[], area: number): number[] =>
  Array.from({ length: pixels.length / (3 * area) }, (_, b) => b).flatMap((b) =>
    Array.from({ length: area }, (_, place) =>
      LUMINANCE.reduce((sum, share, c) => sum + share * pixels[(3 * b + c) * area + place]!, 0),
    ),
  );

describe('a view', () => {
  it('of settings that change nothing is its image', () => {
    for (const images of [colourful, gray]) {
      const pixels = randomImages(images, 3);
      expectNear(viewsOf(images, pixels, still), pixels, { relative: 1e-12, absolute: 1e-12 });
    }
  });

  it('that is flipped is its image or its image mirrored left to right, each for some images', () => {
    const pixels = randomImages(gray, 12);
    const views = viewsOf(gray, pixels, { ...still, flip: true });
    const [, height, width] = gray.image;
    const area = height * width;
    const kinds = Array.from({ length: 12 }, (_, b) => {
      const image = Array.from(pixels.subarray(b * area, (b + 1) * area));
      const mirror = image.map((_, place) => {
        const row = Math.floor(place / width);
        return image[row * width + (width - 1 - (place % width))]!;
      });
      const view = Array.from(views.subarray(b * area, (b + 1) * area), Math.fround);
      return [image, mirror].findIndex((each) => each.every((value, k) => Math.abs(value - view[k]!) < 1e-6));
    });
    expect(new Set(kinds)).toEqual(new Set([0, 1]));
  });

  it('crops rectangles of the aspects asked for, inside the image', () => {
    const settings: AugmentationSettings = { ...still, cropScale: [0.2, 0.5], cropAspect: [0.5, 2] };
    const views = drawViews(key, 400, { height: 20, width: 30 }, settings);
    const crops = Array.from({ length: 400 }, (_, b) => {
      const view = views.subarray(b * VIEW_NUMBERS, (b + 1) * VIEW_NUMBERS);
      return { width: view[0]!, height: view[4]!, column: view[2]!, row: view[5]! };
    });
    const aspects = crops.map(({ width, height }) => width / height);
    const areas = crops.map(({ width, height }) => width * height);
    expect(Math.min(...aspects)).toBeGreaterThanOrEqual(0.5 - 1e-6);
    expect(Math.max(...aspects)).toBeLessThanOrEqual(2 + 1e-6);
    expect(Math.min(...areas)).toBeGreaterThanOrEqual(0.2 - 1e-6);
    expect(Math.max(...areas)).toBeLessThanOrEqual(0.5 + 1e-6);
    // Even on the logarithmic scale: as many narrow ones as broad ones.
    expect(aspects.filter((aspect) => aspect < 1).length / 400).toBeCloseTo(0.5, 1);
    for (const { width, height, column, row } of crops) {
      expect(column - (width * 30) / 2).toBeGreaterThanOrEqual(-0.5 - 1e-5);
      expect(column + (width * 30) / 2).toBeLessThanOrEqual(29.5 + 1e-5);
      expect(row - (height * 20) / 2).toBeGreaterThanOrEqual(-0.5 - 1e-5);
      expect(row + (height * 20) / 2).toBeLessThanOrEqual(19.5 + 1e-5);
    }
  });

  it('of changed hue and saturation keeps the luminance of the unstandardised pixels, and changes their colours', () => {
    const pixels = randomImages(colourful, 4);
    const before = unstandardise(colourful, pixels);
    const area = 30;
    for (const change of [{ hue: 0.5 }, { saturation: 1 }]) {
      const after = unstandardise(colourful, viewsOf(colourful, pixels, { ...still, ...change }));
      expectNear(luminances(after, area), luminances(before, area), { relative: 1e-6, absolute: 1e-6 });
      expect(Math.max(...after.map((value, k) => Math.abs(value - before[k]!)))).toBeGreaterThan(0.05);
    }
  });

  it('of changed hue leaves gray pixels as they are', () => {
    const level = numbers(2, 'levels', 30).map((value) => 1 / (1 + Math.exp(-value)));
    const pixels = Float32Array.from({ length: 90 }, (_, place) => {
      const c = Math.floor(place / 30);
      return (level[place % 30]! - colourful.mean[c]!) / colourful.deviation[c]!;
    });
    const view = viewsOf(colourful, pixels, { ...still, hue: 0.5, saturation: 1 });
    expectNear(view, pixels, { relative: 1e-5, absolute: 1e-5 });
  });

  it('that turns gray does so alike whether colours are changed before or not', () => {
    const pixels = randomImages(colourful, 5);
    const alone = viewsOf(colourful, pixels, { ...still, grayscale: 1 });
    const after = viewsOf(colourful, pixels, { ...still, grayscale: 1, saturation: 1e-9 });
    expectNear(after, alone, { relative: 1e-5, absolute: 1e-5 });
  });

  it('that is blurred keeps each image’s mean and is smoother', () => {
    for (const images of [colourful, gray]) {
      const [, height, width] = images.image;
      const pixels = randomImages(images, 3);
      const view = viewsOf(images, pixels, { ...still, blur: 1 });
      const plane = height * width;
      for (let start = 0; start < pixels.length; start += plane) {
        const [was, is] = [pixels.subarray(start, start + plane), view.subarray(start, start + plane)];
        const mean = (a: ArrayLike<number>) => inner(a, new Array(plane).fill(1 / plane));
        expect(mean(is)).toBeCloseTo(mean(was), 6);
        expect(inner(is, is)).toBeLessThanOrEqual(inner(was, was) + 1e-9);
      }
      expect(inner(view, view)).toBeLessThan(0.99 * inner(pixels, pixels));
    }
  });

  it('that is solarised inverts what is above one half, and nothing else', () => {
    for (const images of [colourful, gray]) {
      const pixels = randomImages(images, 3);
      const was = unstandardise(images, pixels);
      const is = unstandardise(images, viewsOf(images, pixels, { ...still, solarise: 1 }));
      expect(was.filter((value) => value > 0.5).length).toBeGreaterThan(5);
      expectNear(
        is,
        was.map((value) => (value > 0.5 ? 1 - value : value)),
        { relative: 1e-6, absolute: 1e-6 },
      );
    }
  });

  it('is jittered, blurred or solarised as often as asked for', () => {
    const pixels = new Float32Array(400).map((_, b) => 1 + (b % 7));
    const ones: AugmentedImages = { image: [1, 1, 1], mean: [0], deviation: [1] };
    const changed = (change: Partial<AugmentationSettings>): number => {
      const view = viewsOf(ones, pixels, { ...still, ...change });
      return view.filter((value, b) => Math.abs(value - pixels[b]!) > 1e-9).length / 400;
    };
    expect(changed({ contrast: 0.5, brightness: 1, jitterProbability: 0.25 })).toBeCloseTo(0.25, 1);
    expect(changed({ contrast: 0.5, brightness: 1 })).toBe(1);
    expect(changed({ solarise: 0.25 })).toBeCloseTo(0.25, 1);
    const { blur } = drawAugmentation(key, 'A', 400, gray, { ...still, blur: 0.25 });
    expect(
      Array.from({ length: 400 }, (_, b) => blur![2 * b]!).filter((w) => w < 1).length / 400,
    ).toBeCloseTo(0.25, 1);
  });
});

describe('draws', () => {
  it('are what they were where none of the later settings is used', () => {
    const settings: AugmentationSettings = {
      ...everything,
      ...{ cropAspect: [1, 1], saturation: 0, hue: 0, jitterProbability: 1, blur: 0, solarise: 0 },
    };
    const drawn = drawAugmentation(key, 'A', 3, colourful, settings);
    expect(Object.keys(drawn)).toEqual(['view', 'noise']);
    // The first view of this stream, as first published.
    expect([...drawn.view!.subarray(0, VIEW_NUMBERS)]).toEqual([
      0.9214970469474792, 0.0980435311794281, 2.651308298110962, -0.0980435311794281, 0.9214970469474792,
      1.9669840335845947, 1.0184755325317383, -0.07561173290014267, 0, 0.05000000074505806, 0, 0,
    ]);
  });

  it('repeat by their key, and differ by side and step', () => {
    const draw = (side: 'A' | 'B', index: number) =>
      drawAugmentation({ ...key, index }, side, 4, colourful, everything);
    expect(draw('A', 1)).toEqual(draw('A', 1));
    for (const name of ['view', 'noise', 'colour', 'blur']) {
      expect(draw('A', 1)[name]).not.toEqual(draw('B', 1)[name]);
      expect(draw('A', 1)[name]).not.toEqual(draw('A', 2)[name]);
    }
  });

  it('of a Gaussian sum to one over both sides and fall off', () => {
    const weights = gaussianWeights(1.3, 3);
    expect(weights[0]! + 2 * (weights[1]! + weights[2]! + weights[3]!)).toBeCloseTo(1, 12);
    expect(weights[2]! / weights[0]!).toBeCloseTo(Math.exp(-((2 / 1.3) ** 2) / 2), 12);
  });
});

describe('all augmentations together', () => {
  const caseOf = (images: AugmentedImages, settings: AugmentationSettings): OperationCase => {
    const types = augmentationTypes(settings, images.image, 5);
    const drawn = drawAugmentation(key, 'B', 5, images, settings);
    const inputs = Object.fromEntries(
      Object.entries(types).map(([name, type]) => [name, { type, values: drawn[name]! }]),
    );
    return {
      inputs: { x: floats(1, 'x', shapeOf(images, 5)), ...inputs },
      build: ({ x, ...rest }) => augmentImages(x!, rest, settings),
      differentiable: ['x'],
    };
  };

  it.each([colourful, gray])('give on the device what float64 gives', async (images) => {
    await expectSameOnDevice(await openedDevice(), caseOf(images, everything));
  });

  it('are differentiable by the images, twice', () => {
    expectFirstDerivatives(caseOf(colourful, everything));
    expectSecondDerivatives(caseOf(colourful, everything));
  });
});
