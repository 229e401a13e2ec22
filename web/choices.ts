/** The settings' defaults and limits; apart from the configuration, so that the page's own part stays small. */
import type { DistilSettings } from './settings.js';

/** How a number is chosen. */
export interface Choice {
  readonly label: string;
  /** The least and the greatest value. */
  readonly smallest: number;
  readonly largest: number;
  /** The default. */
  readonly usual: number;
  /** Distance of two values; 0 for a scale in which each value is a multiple of the one before. */
  readonly step: number;
  /** One short sentence. */
  readonly meaning: string;
}

export const distilChoices: { readonly [Name in keyof DistilSettings]: Choice } = {
  images: {
    label: 'Images',
    smallest: 10,
    largest: 50,
    usual: 20,
    step: 10,
    meaning: 'How many synthetic digits are learnt.',
  },
  steps: {
    label: 'Inner steps N',
    smallest: 1,
    largest: 30,
    usual: 10,
    step: 1,
    meaning: 'Training steps that one gradient goes back through.',
  },
  expertEpochs: {
    label: 'Expert epochs M',
    smallest: 1,
    largest: 4,
    usual: 2,
    step: 1,
    meaning: 'How far along an expert’s path those steps are to lead.',
  },
  pixelRate: {
    label: 'Pixel rate',
    smallest: 100,
    largest: 30_000,
    usual: 3000,
    step: 0,
    meaning: 'How far each gradient moves the pixels.',
  },
  innerStep: {
    label: 'First α',
    smallest: 0.01,
    largest: 0.5,
    usual: 0.1,
    step: 0.01,
    meaning: 'The inner step size that α starts from; it is learnt as well.',
  },
  iterations: {
    label: 'Iterations',
    smallest: 20,
    largest: 1000,
    usual: 120,
    step: 20,
    meaning: 'Gradients taken, unless you stop before.',
  },
  seeds: {
    label: 'Probe seeds',
    smallest: 1,
    largest: 5,
    usual: 3,
    step: 1,
    meaning: 'Fresh students of each kind that the probe compares at the end.',
  },
  seed: {
    label: 'Seed',
    smallest: 0,
    largest: 9999,
    usual: 1,
    step: 1,
    meaning: 'Names every random draw: the same seed gives the same bits on the same device.',
  },
};

/** The nearest value that a choice allows; its default for what is no number. */
export function clamp(choice: Choice, value: number): number {
  if (!Number.isFinite(value)) return choice.usual;
  const { smallest, largest, step } = choice;
  const inside = Math.min(Math.max(value, smallest), largest);
  if (step === 0) return Number(inside.toPrecision(3));
  const rounded = smallest + Math.round((inside - smallest) / step) * step;
  return Number(Math.min(rounded, largest).toFixed(4));
}

export const usualSettings = Object.fromEntries(
  Object.entries(distilChoices).map(([name, { usual }]) => [name, usual]),
) as unknown as DistilSettings;
