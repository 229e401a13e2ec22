/** The configuration's fields as data – meaning, range, default – and as JSON Schema, both read off `schema.ts`. */
import { z } from 'zod';
import { fieldPaths } from './layers.js';
import { type Fields, valueAt } from './paths.js';
import { describePreset, presetNames } from './resolve.js';
import { configSchema } from './schema.js';

/** What JSON Schema says of a field or a group, as far as it is read here. */
export interface SchemaNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly [name: string]: unknown;
}

/** One field of the configuration. */
export interface FieldDescription {
  /** As `--set` takes it: "distil.steps". */
  readonly path: string;
  /** What it means, in sentences. */
  readonly description: string;
  /** What fits, to be read after "must be". */
  readonly range: string;
  readonly default: unknown;
  /** The values there are, as a configuration writes them; empty where they are too many to name. */
  readonly values: readonly string[];
}

let generated: SchemaNode | undefined;

/** Of what a configuration file may hold; defaults as of a field that is left out. Made when it is first asked for: few commands do. */
function generatedSchema(): SchemaNode {
  generated ??= z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as SchemaNode;
  return generated;
}

function nodeAt(path: string): SchemaNode {
  return path.split('.').reduce<SchemaNode>((node, name) => node.properties![name]!, generatedSchema());
}

/** What a group of fields is for, in a sentence; empty where the schema is silent. */
export const describeGroup = (path: string): string => nodeAt(path).description ?? '';

const takesNull = ({ anyOf }: SchemaNode): boolean => anyOf?.some(({ type }) => type === 'null') ?? false;

/** What fits in a field, in the words of the error for what does not. */
function rangeOf(path: string, node: SchemaNode): string {
  // No value of a configuration is a symbol, so the field's own message comes.
  const wrong = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), Symbol(path));
  const issue = configSchema.safeParse(wrong).error?.issues.find((each) => each.path.join('.') === path);
  const range = (issue?.message ?? '').replace(/^must be /, '');
  return takesNull(node) && !/\bnull\b/.test(range) ? `${range}, or null` : range;
}

function valuesOf(node: SchemaNode): string[] {
  if (node.type === 'boolean') return ['true', 'false'];
  if (node.enum !== undefined) return node.enum.map(String);
  return takesNull(node) ? ['null'] : [];
}

let described: readonly FieldDescription[] | undefined;

/** Every field, in the order of the schema. */
export function fieldDescriptions(): readonly FieldDescription[] {
  if (described === undefined) {
    const defaults: Fields = configSchema.parse({});
    described = fieldPaths.map((path) => {
      const node = nodeAt(path);
      return {
        path,
        description: node.description ?? '',
        range: rangeOf(path, node),
        default: valueAt(defaults, path.split('.')),
        values: valuesOf(node),
      };
    });
  }
  return described;
}

/** A group's default is that of its fields: to offer an editor `{}` for it helps nobody. */
function withoutGroupDefaults(node: SchemaNode): SchemaNode {
  if (node.properties === undefined) return node;
  const { default: _, ...rest } = node;
  const properties = Object.fromEntries(
    Object.entries(node.properties).map(([name, each]) => [name, withoutGroupDefaults(each)]),
  );
  return { ...rest, properties };
}

/** JSON Schema (draft 7) of a configuration file, with which an editor completes and checks it. */
export function configJsonSchema(): SchemaNode {
  const { properties, ...schema } = withoutGroupDefaults(generatedSchema());
  const preset = {
    description: `The preset that the file's values are laid over. ${presetNames
      .map((name) => `${name}: ${describePreset(name)}`)
      .join(' ')}`,
    type: 'string',
    enum: presetNames,
  };
  return { ...schema, title: 'Configuration of hypergrad', properties: { preset, ...properties } };
}
