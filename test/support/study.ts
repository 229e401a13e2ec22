/** A study's context without files: 40 random images of 6×6 pixels. */
import type { Device } from '../../src/gpu/device.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import type { StageContext } from '../../src/pipeline/stages/context.js';
import { EventLog } from '../../src/pipeline/store/events.js';
import type { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { numbers } from './compare.js';
import { imageSetOf } from './imageSet.js';

export const COUNT = 40;

/** The preset of the tests, on a student of one block. */
export const tinyConfig = (...sets: string[]): Config =>
  resolveConfig({
    preset: 'tiny-test',
    sets: ['data.train=40', 'teacher.representation=4', 'experts.batch=8', 'subset.fraction=0.25', ...sets],
  });

export const tinyTargets = numbers(4, 'targets', COUNT * 4);

export function tinyContext(
  device: Device,
  config: Config,
  advance: (done: number) => void = () => {},
): StageContext {
  const set = imageSetOf(numbers(4, 'images', COUNT * 36), new Int32Array(COUNT), COUNT);
  return {
    config,
    device,
    dataset: {
      name: 'random',
      image: [1, 6, 6],
      classes: ['one'],
      train: set,
      test: set,
      mean: [0],
      deviation: [1],
      close() {},
    },
    folder: undefined as unknown as RunFolder,
    events: new EventLog('unused'),
    advance,
  };
}
