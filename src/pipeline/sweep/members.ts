/** A sweep's file as runs: every setting with every seed, each with its whole configuration. */
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../../errors.js';
import { type Layer, show, textLayer, valueLayer } from '../config/layers.js';
import type { Fields } from '../config/paths.js';
import { checkLayers, presetLayer, readConfigFile } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { hashInputs, type Plain, plainCopy } from '../store/manifest.js';
import { shown } from '../store/shownText.js';
import type { Member } from './graph.js';
import { MOST_MEMBERS, type SweepFile } from './schema.js';

/** A run of a sweep, a setting with a seed, whose jobs have no names yet. */
export interface PlannedRun extends Pick<Member, 'name' | 'values' | 'seed'> {
  readonly config: Config;
}

/** What a user may say beside the file. */
export interface SweepSources {
  readonly file: SweepFile;
  /** Where it was read, for messages and for what it names relative to itself. */
  readonly path: string;
  /** Laid over all that the file says but the swept values, such as those of `--set`. */
  readonly layers?: readonly Layer[];
}

const LONGEST_NAME = 100;
const HASH_DIGITS = 8;

/** Values by path; a grid's combinations, the last path changing fastest. */
function combinations(grid: Readonly<Record<string, readonly unknown[]>>): Fields[] {
  return Object.entries(grid).reduce<Fields[]>(
    (settings, [path, values]) =>
      settings.flatMap((setting) => values.map((value) => ({ ...setting, [path]: value }))),
    [{}],
  );
}

const valueText = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
    .replaceAll(/[^\w.+-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');

const shortHash = (value: unknown): string => hashInputs(value).slice(0, HASH_DIGITS);

/** What a run's folder is called: its values, then its seed. */
function nameOf(called: string | undefined, named: Fields, values: Fields, seed: number): string {
  const words = [
    ...(called === undefined ? [] : [called]),
    ...Object.entries(named).map(([path, value]) => `${path}=${valueText(value)}`),
    `seed=${seed}`,
  ];
  const name = words.join(',');
  if (name.length <= LONGEST_NAME) return name;
  const end = `,${shortHash({ called, values })},seed=${seed}`;
  return `${name.slice(0, LONGEST_NAME - end.length)}${end}`;
}

/**
 * Names that no two runs share: where two would, what they differ in is added as a hash. Throws `ConfigError` where two differ in
 * nothing: they would be one run that counts twice in the mean over the seeds.
 */
function distinctNames(runs: readonly PlannedRun[], path: string): PlannedRun[] {
  const counts = new Map<string, number>();
  for (const { name } of runs) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set<string>();
  return runs.map((run) => {
    const name = counts.get(run.name) === 1 ? run.name : `${run.name}-${shortHash(run.values)}`;
    if (taken.has(name)) {
      throw new ConfigError(
        `${path} asks for the run ${run.name} more than once: a value, or an entry of list, stands there twice. Leave it out.`,
      );
    }
    taken.add(name);
    return { ...run, name };
  });
}

function requireFew(count: number, path: string): void {
  if (count <= MOST_MEMBERS) return;
  throw new ConfigError(
    `${path} has ${count} runs, and a sweep may have ${MOST_MEMBERS}. Make its lists shorter, or several sweeps of it.`,
  );
}

/** All settings, without seeds: each of the list combined with the grid. */
function settingsOf({ grid = {}, list = [{}] }: SweepFile, path: string, seeds: number) {
  const product = Object.values(grid).reduce((total, { length }) => total * length, 1);
  requireFew(product * list.length * seeds, path);
  return list.flatMap(({ name, ...own }) =>
    combinations(grid).map((combination) => {
      const twice = Object.keys(own).find((field) => Object.hasOwn(combination, field));
      if (twice !== undefined) {
        throw new ConfigError(
          `${shown(twice)} (${path}) stands both in grid and in list. Leave it in one of them: every entry of list is combined with grid.`,
        );
      }
      const values = { ...own, ...combination };
      if (Object.hasOwn(values, 'seed')) {
        throw new ConfigError(
          `seed (${path}) stands in grid or list. Say it in seeds, such as seeds: [1, 2, 3], so that results are taken over them.`,
        );
      }
      return {
        called: name as string | undefined,
        values,
        // What a name of its own stands for need not be spelled out.
        named: name === undefined ? values : combination,
      };
    }),
  );
}

/**
 * The runs of a sweep, in the order of its lists, seeds innermost.
 *
 * @throws ConfigError, naming the run, where a value is unknown, out of range or unreadable; for a run that is asked for twice, for
 *   a seed that is swept as a value, and for more than 10 000 runs.
 */
export function plannedRuns({ file, path, layers: over = [] }: SweepSources): PlannedRun[] {
  const { preset, from, config = {}, seeds } = file;
  const fromPath = from === undefined ? undefined : resolve(dirname(path), from);
  const base = fromPath === undefined ? undefined : textLayer(readConfigFile(fromPath), fromPath);
  const own: Layer = { values: config as Fields, origin: () => path };
  const presets = new Map<string, Layer>();
  const presetOf = (name: string): Layer => {
    const known = presets.get(name) ?? presetLayer(name);
    presets.set(name, known);
    return known;
  };
  const runs = settingsOf(file, path, seeds?.length ?? 1).flatMap(({ called, values, named }) => {
    const { preset: swept, ...others } = values;
    if (swept !== undefined && typeof swept !== 'string') {
      throw new ConfigError(`preset = ${show(swept)} (${path}) must be a preset's name.`);
    }
    const chosen = swept ?? preset ?? base?.preset;
    const layers = [
      ...(chosen === undefined ? [] : [presetOf(chosen)]),
      ...(base === undefined ? [] : [base.layer]),
      own,
      ...over,
      ...Object.entries(others).map(([field, value]) => valueLayer(field.split('.'), value, path)),
    ];
    const plain = plainCopy(values) as Record<string, Plain>;
    return (seeds ?? [undefined]).map((seed): PlannedRun => {
      const seeded = seed === undefined ? [] : [valueLayer(['seed'], seed, path)];
      const resolved = checkLayers([...layers, ...seeded]);
      const name = nameOf(called, named, values, resolved.seed);
      return { name, values: plain, seed: resolved.seed, config: resolved };
    });
  });
  return distinctNames(runs, path);
}

/** A single configuration as a sweep of one run. */
export const soleRun = (config: Config): PlannedRun[] => [
  { name: `seed=${config.seed}`, values: {}, seed: config.seed, config },
];

/** The same for runs that differ in nothing but their seeds. */
export const seedlessKey = ({ config: { seed: _, ...rest } }: Pick<PlannedRun, 'config'>): string =>
  hashInputs(rest);

/** One run of each configuration, by its key: the first of those that differ in their seeds alone. */
export function distinctBySeed(runs: readonly PlannedRun[]): Map<string, PlannedRun> {
  const distinct = new Map<string, PlannedRun>();
  for (const run of runs) {
    const key = seedlessKey(run);
    if (!distinct.has(key)) distinct.set(key, run);
  }
  return distinct;
}
