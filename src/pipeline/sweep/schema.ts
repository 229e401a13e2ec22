/**
 * A sweep's file: what all of its runs begin with, and what they differ in. Only its form is checked here; whether there are such
 * fields, and whether values fit them, the configuration's own schema says for each run.
 */
import { LineCounter } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { readValues, show } from '../config/layers.js';
import { shown } from '../store/shownText.js';

/** Runs that one sweep may have. */
export const MOST_MEMBERS = 10_000;

const SEEDS_ERROR = 'must be a list of whole numbers, each once, such as [1, 2, 3]';
const GRID_ERROR = 'must hold lists of values by path, such as distil.steps: [20, 40]';
const LIST_ERROR = 'must be a list of settings, such as [{ distil.steps: 20 }, { distil.steps: 40 }]';
const CONFIG_ERROR = 'must be a group of fields of the configuration';
const FROM_ERROR = "must be a configuration file's path, relative to this file";
const PRESET_ERROR = "must be a preset's name";
const NAME = /^[\w][\w.=,+-]{0,99}$/;

/** The most values that are looked at one by one: each could have a fault of its own. */
const bounded = <Value>(error: string, most = MOST_MEMBERS) =>
  z.custom<Value[]>((value) => Array.isArray(value) && value.length >= 1 && value.length <= most, { error });
const group = (error: string) => z.record(z.string(), z.unknown(), { error });

const sweepSchema = z.strictObject({
  /** What all runs begin with: a preset … */
  preset: z.string({ error: PRESET_ERROR }).exactOptional(),
  /** … a configuration file … */
  from: z.string({ error: FROM_ERROR }).min(1, { error: FROM_ERROR }).exactOptional(),
  /** … and fields of the configuration, each laid over those before. */
  config: group(CONFIG_ERROR).exactOptional(),
  /** Values by path: every combination is a setting. `preset` is a path too. */
  grid: z.record(z.string(), bounded<unknown>(GRID_ERROR), { error: GRID_ERROR }).exactOptional(),
  /** Settings one by one, values by path; each is combined with the grid. `name` calls a setting something shorter. */
  list: bounded<unknown>(LIST_ERROR)
    .pipe(z.array(group(LIST_ERROR)))
    .exactOptional(),
  /** Seeds of the whole pipeline: each setting is run with every one. The configuration's own by default. */
  seeds: bounded<unknown>(SEEDS_ERROR)
    .pipe(
      z
        .array(z.number({ error: SEEDS_ERROR }).int({ error: SEEDS_ERROR }).min(0).max(0xffff_ffff))
        .refine((seeds) => new Set(seeds).size === seeds.length, { error: SEEDS_ERROR }),
    )
    .exactOptional(),
});

/** What a sweep's file says. */
export type SweepFile = z.infer<typeof sweepSchema>;

const FIELDS = Object.keys(sweepSchema.shape);
/** Fields that no configuration has: where there is one of them, a file is a sweep's. */
const OWN = FIELDS.filter((field) => field !== 'preset');

/**
 * What a sweep's text in YAML or JSON says; null where it is a single configuration's.
 *
 * @param name what messages call it
 * @throws ConfigError for what is no YAML, and for what does not fit, with the field.
 */
export function parseSweep(text: string, name: string): SweepFile | null {
  const { values } = readValues(text, name, new LineCounter(), 'seeds: [1, 2]');
  if (!OWN.some((field) => Object.hasOwn(values, field))) return null;
  const strange = Object.keys(values).find((field) => !FIELDS.includes(field));
  if (strange !== undefined) {
    throw new ConfigError(
      `There is no field ${shown(strange)} in a sweep (${name}).${didYouMean(strange, FIELDS)} Fields of the configuration stand below config, grid or list.`,
    );
  }
  const checked = sweepSchema.safeParse(values);
  if (!checked.success) {
    const [{ path, message }] = checked.error.issues as [(typeof checked.error.issues)[number]];
    const at = path.map(String).join('.');
    throw new ConfigError(`${shown(at)} (${name}) ${message}.`);
  }
  for (const { name: called } of checked.data.list ?? []) {
    if (called === undefined || (typeof called === 'string' && NAME.test(called))) continue;
    throw new ConfigError(
      `list: the name ${show(called)} (${name}) must be letters, digits and the signs . = , + - _, at most 100 of them: it becomes a folder's.`,
    );
  }
  return checked.data;
}
