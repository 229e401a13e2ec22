/** What the page distils, and what a visitor may choose. */
import { type Config, configSchema } from '../src/pipeline/config/schema.js';

/** What a visitor chooses of a distillation. */
export interface DistilSettings {
  /** Synthetic images. */
  readonly images: number;
  /** Inner steps N. */
  readonly steps: number;
  /** Expert epochs M that they are to match. */
  readonly expertEpochs: number;
  /** Outer learning rate of the pixels. */
  readonly pixelRate: number;
  /** Where α starts. */
  readonly innerStep: number;
  /** Outer iterations. */
  readonly iterations: number;
  /** Encoders of each kind that the probe at the end sees. */
  readonly seeds: number;
  readonly seed: number;
}

/** Digits that ship with the page. */
export const DIGITS = { train: 1000, test: 500 } as const;

/** Epochs that an expert is trained for; M must leave room for another start. */
const EXPERT_EPOCHS = 5;
/** The latest start epoch, where M leaves room for it. */
const LATEST_START = 3;
const LARGEST_BATCH = 20;

/** The configuration of a run with these settings: what `hypergrad run` would be given. */
export function configOf(settings: DistilSettings): Config {
  const { images, steps, expertEpochs, pixelRate, innerStep, iterations, seeds, seed } = settings;
  const batch = Math.min(images, LARGEST_BATCH);
  return configSchema.parse({
    seed,
    data: { source: 'mnist', ...DIGITS, pool: 2 },
    teacher: {
      depth: 2,
      width: 32,
      representation: 32,
      projector: 128,
      lambda: 0.01,
      steps: 200,
      batch: 128,
      learningRate: 0.003,
      augmentation: {
        rotation: 20,
        cropScale: [0.6, 1],
        flip: false,
        contrast: 0.4,
        brightness: 0.4,
        noise: 0.05,
        grayscale: 0,
      },
    },
    student: { depth: 2, width: 8 },
    experts: { count: 2, epochs: EXPERT_EPOCHS, batch: 50 },
    subset: { fraction: images / DIGITS.train },
    distil: {
      iterations,
      steps,
      expertEpochs,
      startEpochs: Math.min(LATEST_START, EXPERT_EPOCHS - expertEpochs) + 1,
      batch,
      pixels: { learningRate: pixelRate },
      innerStep: { initial: innerStep },
    },
    evaluate: {
      epochs: 150,
      batch,
      labels: [0.05],
      seeds,
      rows: ['randomEncoder', 'randomSubset', 'highLossSubset', 'mkdt'],
    },
  });
}
