/** Values of nested groups by their paths. */

/** A group of named values. */
export type Fields = { [name: string]: unknown };

export function isGroup(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, by own fields only; undefined where there is none. */
export function valueAt(fields: object, path: readonly string[]): unknown {
  let value: unknown = fields;
  for (const name of path) {
    if (!isGroup(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
