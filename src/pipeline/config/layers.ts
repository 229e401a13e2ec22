/**
 * Layers of configuration: each is what one place says (a preset, a file, an option), checked against the
 * fields that exist before it is laid over the ones below it.
 */
import { type Document, isNode, LineCounter } from 'yaml';
import { ConfigError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { shown } from '../store/shownText.js';
import { type Fields, isGroup, valueAt } from './paths.js';
import { configSchema } from './schema.js';
import { parseYaml, YamlFault } from './yamlText.js';

export interface Layer {
  readonly values: Fields;
  /** Where the value of a path comes from, for messages: "run.yaml, line 3". */
  origin(path: readonly string[]): string;
}

/** Every field at its default: what fields there are, and which of them are groups. */
const known: Fields = configSchema.parse({});

/** The dotted paths of all values below `fields`. */
function pathsOf(fields: Fields, prefix = ''): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    isGroup(value) ? pathsOf(value, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

/** Every path that `--set` takes. */
export const fieldPaths: readonly string[] = pathsOf(known);

/** Those, and the groups they lie in. */
const knownPaths: readonly string[] = [
  ...new Set(
    fieldPaths.flatMap((path) => {
      const names = path.split('.');
      return names.map((_, index) => names.slice(0, index + 1).join('.'));
    }),
  ),
];

/** The deepest group that a path leads into, and the names in it. */
function deepestGroup(path: readonly string[]): string {
  const depth = path.findIndex((_, index) => !isGroup(valueAt(known, path.slice(0, index + 1))));
  const inside = path.slice(0, depth < 0 ? undefined : depth);
  const names = Object.keys(valueAt(known, inside) as Fields).join(', ');
  return inside.length === 0 ? ` There are ${names}.` : ` The fields of ${inside.join('.')} are ${names}.`;
}

/** @param candidates what may be meant */
function unknownField(path: readonly string[], origin: string, candidates: readonly string[]): ConfigError {
  const dotted = path.join('.');
  return new ConfigError(
    `There is no field ${shown(dotted)} (${origin}).${didYouMean(dotted, candidates) || deepestGroup(path)}`,
  );
}

/** Throws `ConfigError` at a layer's first field that does not exist, or that is a value and should be a group. */
function checkKnown(layer: Layer, values: Fields, expected: Fields, prefix: readonly string[] = []): void {
  for (const [name, value] of Object.entries(values)) {
    const path = [...prefix, name];
    if (!Object.hasOwn(expected, name)) throw unknownField(path, layer.origin(path), knownPaths);
    const inner = expected[name];
    // A value in place of a single field is the schema's to judge.
    if (!isGroup(inner)) continue;
    if (!isGroup(value)) {
      throw new ConfigError(
        `${path.join('.')} = ${show(value)} (${layer.origin(path)}) must be a group of fields (${Object.keys(inner).join(', ')}).`,
      );
    }
    checkKnown(layer, value, inner, path);
  }
}

/** Lays layers over each other, the last on top; only fields that the configuration has get through. */
export function mergeLayers(layers: readonly Layer[]): Fields {
  const merged: Fields = {};
  for (const layer of layers) {
    checkKnown(layer, layer.values, known);
    layOver(merged, layer.values);
  }
  return merged;
}

function layOver(base: Fields, over: Fields): void {
  for (const [name, value] of Object.entries(over)) {
    const below = base[name];
    if (isGroup(below) && isGroup(value)) layOver(below, value);
    else base[name] = structuredClone(value);
  }
}

/** A layer from a text in YAML or JSON, and the preset that it names. Throws `ConfigError` with the line. */
export function textLayer(text: string, name: string): { layer: Layer; preset: string | undefined } {
  const lines = new LineCounter();
  const { document, values } = readValues(text, name, lines, 'seed: 1');
  const origin = (path: readonly string[]) => `${name}${lineOf(document, lines, path)}`;
  if (!Object.hasOwn(values, 'preset')) return { layer: { values, origin }, preset: undefined };
  const { preset, ...rest } = values;
  if (typeof preset !== 'string') {
    throw new ConfigError(`preset = ${show(preset)} (${origin(['preset'])}) must be a preset's name.`);
  }
  return { layer: { values: rest, origin }, preset };
}

/**
 * The fields of a text in YAML or JSON, none for an empty one. Throws `ConfigError` with the line.
 *
 * @param example of such fields, for messages
 */
export function readValues(
  text: string,
  name: string,
  lines: LineCounter,
  example: string,
): { readonly document: Document; readonly values: Fields } {
  try {
    const { document, value } = parseYaml(text, lines);
    if (value === null) return { document, values: {} };
    if (isGroup(value)) return { document, values: value };
    throw new ConfigError(`${name}: holds ${show(value)} where fields such as "${example}" are expected.`);
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    const place = error.position === null ? '' : `, line ${lines.linePos(error.position).line}`;
    throw new ConfigError(`${name}${place}: ${error.message}.`, { cause: error });
  }
}

function lineOf(document: Document, lines: LineCounter, path: readonly string[]): string {
  const node = document.getIn(path, true);
  if (!isNode(node) || !node.range) return '';
  return `, line ${lines.linePos(node.range[0]).line}`;
}

/** A layer of one value at one path. */
export function valueLayer(path: readonly string[], value: unknown, label: string): Layer {
  const values = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Fields;
  return { values, origin: () => label };
}

/** A layer from `--set path=value`; the value is read as YAML. Throws `ConfigError`. */
export function setLayer(setting: string): Layer {
  const label = `--set ${shown(setting)}`;
  const equals = setting.indexOf('=');
  const path = setting.slice(0, Math.max(equals, 0)).trim();
  const text = setting.slice(equals + 1).trim();
  if (path === '' || text === '') {
    throw new ConfigError(`${label} needs a field and a value: write --set distil.iterations=100.`);
  }
  const field = valueAt(known, path.split('.'));
  if (field === undefined) throw unknownField(path.split('.'), '--set', fieldPaths);
  if (isGroup(field)) {
    throw new ConfigError(
      `${path} (--set) is a group of fields: set one of ${pathsOf(field, `${path}.`).join(', ')}.`,
    );
  }
  return valueLayer(path.split('.'), parseSetting(text), '--set');
}

/** What does not read as a YAML value, such as a path with ": " in it, is taken as the text it is. */
function parseSetting(text: string): unknown {
  try {
    const { value } = parseYaml(text);
    return isGroup(value) ? text : value;
  } catch (error) {
    if (error instanceof YamlFault) return text;
    throw error;
  }
}

/** A value as messages show it. */
export function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
