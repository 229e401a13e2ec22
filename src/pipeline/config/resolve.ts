/**
 * From what the user says to one checked configuration. Later layers win:
 * defaults < preset < file < `--seed`, `--data` < `--set`.
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { z } from 'zod';
import { ConfigError } from '../../errors.js';
import { didYouMean, nearest } from '../../suggest.js';
import cifar10Small from '../presets/cifar10-small.yaml?raw';
import fashionSmall from '../presets/fashion-small.yaml?raw';
import mkdtCifar102Percent from '../presets/mkdt-cifar10-2pct.yaml?raw';
import mkdtCifar105Percent from '../presets/mkdt-cifar10-5pct.yaml?raw';
import mkdtCifar1002Percent from '../presets/mkdt-cifar100-2pct.yaml?raw';
import mkdtCifar1005Percent from '../presets/mkdt-cifar100-5pct.yaml?raw';
import mkdtTiny2Percent from '../presets/mkdt-tiny-2pct.yaml?raw';
import mkdtTiny5Percent from '../presets/mkdt-tiny-5pct.yaml?raw';
import mnistSmall from '../presets/mnist-small.yaml?raw';
import tinyTest from '../presets/tiny-test.yaml?raw';
import { fileLimits, readingFault, readTextSync } from '../store/boundedFile.js';
import { shown } from '../store/shownText.js';
import { type Layer, mergeLayers, setLayer, show, textLayer, valueLayer } from './layers.js';
import { type Fields, valueAt } from './paths.js';
import { type Config, configSchema } from './schema.js';

const presets: ReadonlyMap<string, string> = new Map([
  ['mnist-small', mnistSmall],
  ['cifar10-small', cifar10Small],
  ['tiny-test', tinyTest],
  ['fashion-small', fashionSmall],
  ['mkdt-cifar10-2pct', mkdtCifar102Percent],
  ['mkdt-cifar10-5pct', mkdtCifar105Percent],
  ['mkdt-cifar100-2pct', mkdtCifar1002Percent],
  ['mkdt-cifar100-5pct', mkdtCifar1005Percent],
  ['mkdt-tiny-2pct', mkdtTiny2Percent],
  ['mkdt-tiny-5pct', mkdtTiny5Percent],
]);

/** The names that `--preset` takes. */
export const presetNames: readonly string[] = [...presets.keys()];

/** What a preset is for, in one line. Throws `ConfigError` for an unknown name. */
export function describePreset(name: string): string {
  const [firstLine = ''] = presetText(name).split('\n', 1);
  return firstLine.replace(/^#\s*/, '').trim();
}

/** @param place where it is named, for messages: "run.yaml, line 3" */
function presetText(name: string, place?: string): string {
  const text = presets.get(name);
  if (text !== undefined) return text;
  const where = place === undefined ? '' : ` (${place})`;
  throw new ConfigError(
    `There is no preset ${show(name)}${where}.${didYouMean(name, presetNames)} Presets: ${presetNames.join(', ')}.`,
  );
}

/** Faults that are told at once; a list may have thousands. */
const MOST_FAULTS = 20;
/** Files of a folder that are looked at for the one that was meant. */
const MOST_FILES = 1000;

/** What the user says about a run's configuration. */
export interface ConfigSources {
  /** Name of a preset; wins over a preset that the file names. */
  readonly preset?: string | undefined;
  /** A YAML or JSON file; it may name a preset of its own as `preset: NAME`. */
  readonly file?: string | undefined;
  /** Single values, as "path=value", the value in YAML. */
  readonly sets: readonly string[];
  /** Wins over the seed that the preset or file names. */
  readonly seed?: number | undefined;
  /** Folder of the dataset's files, relative to the working directory. */
  readonly dataFolder?: string | undefined;
}

/**
 * The checked configuration of a run. Throws `ConfigError`, naming the field, its value, where it was said and
 * what fits, for anything that is unknown, out of range or unreadable.
 */
export const resolveConfig = (sources: ConfigSources): Config => checkLayers(layersOf(sources));

/** What the user says, a layer each, the lowest first. Throws `ConfigError` for what cannot be read. */
export function layersOf(sources: ConfigSources): Layer[] {
  const file = sources.file === undefined ? undefined : textLayer(readConfigFile(sources.file), sources.file);
  const preset = sources.preset ?? file?.preset;

  const layers: Layer[] = [];
  if (preset !== undefined) {
    const place = sources.preset === undefined ? file?.layer.origin(['preset']) : undefined;
    layers.push(presetLayer(preset, place));
  }
  if (file) layers.push(file.layer);
  if (sources.seed !== undefined) layers.push(valueLayer(['seed'], sources.seed, '--seed'));
  if (sources.dataFolder !== undefined)
    layers.push(valueLayer(['data', 'folder'], sources.dataFolder, '--data'));
  layers.push(...sources.sets.map(setLayer));
  return layers;
}

/**
 * What a preset says. Throws `ConfigError` for an unknown name.
 *
 * @param place where it is named, for messages: "run.yaml, line 3"
 */
export const presetLayer = (name: string, place?: string): Layer =>
  textLayer(presetText(name, place), `preset ${name}`).layer;

/** The checked configuration that layers make, the last on top. Throws `ConfigError` as `resolveConfig` does. */
export function checkLayers(layers: readonly Layer[]): Config {
  const merged = mergeLayers(layers);
  const checked = configSchema.safeParse(merged);
  if (checked.success) return checked.data;

  const sentences = checked.error.issues.slice(0, MOST_FAULTS).map((issue) => {
    // A list is one value; what lies in it is named in front of what does not fit.
    const list = issue.path.findIndex((part) => typeof part === 'number');
    const path = issue.path.slice(0, list < 0 ? undefined : list).map(String);
    const inside = list < 0 ? [] : issue.path.slice(list).filter((part) => typeof part === 'string');
    const layer = layers.findLast(({ values }) => valueAt(values, path) !== undefined);
    const value = valueAt(layer ? merged : configSchema.parse({}), path);
    const origin = layer?.origin(path) ?? 'default';
    const what = inside.length === 0 ? '' : `: ${inside.join('.')} `;
    return `${path.join('.')} = ${show(value)} (${origin})${what || ' '}${issue.message}.${meantChoice(issue, merged)}`;
  });
  throw new ConfigError([...new Set(sentences)].join('\n'), { cause: checked.error });
}

/** What may be meant by a word that is none of a field's choices. */
function meantChoice(issue: z.core.$ZodIssue, values: Fields): string {
  const choices =
    issue.code === 'invalid_value' ? issue.values : 'options' in issue ? (issue.options ?? []) : [];
  const given = issue.path.reduce<unknown>(
    (inside, part) =>
      typeof inside === 'object' && inside !== null && Object.hasOwn(inside, part)
        ? (inside as Record<PropertyKey, unknown>)[part]
        : undefined,
    values,
  );
  return typeof given === 'string' ? didYouMean(given, choices.map(String)) : '';
}

/** What may be meant by a configuration file that is not there: a preset, or another file in its folder. */
function meantFile(path: string): string {
  const preset = extname(path) === '' ? nearest(path, presetNames) : undefined;
  if (preset !== undefined) return ` Did you mean --preset ${preset}?`;
  const folder = dirname(path);
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /\.(ya?ml|json)$/i.test(name));
  } catch {
    return '';
  }
  const name = nearest(basename(path), names.slice(0, MOST_FILES));
  return name === undefined ? '' : ` Did you mean ${shown(join(folder, name))}?`;
}

/** The text of a configuration's file. Throws `ConfigError`. */
export function readConfigFile(path: string): string {
  try {
    return readTextSync(path, fileLimits.configuration);
  } catch (error) {
    const meant = (error as NodeJS.ErrnoException).code === 'ENOENT' ? meantFile(path) : '';
    throw new ConfigError(
      `The configuration file ${path} ${readingFault(error)}.${meant} Give the path of a YAML or JSON file.`,
      { cause: error },
    );
  }
}
