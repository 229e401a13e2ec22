import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema, describeGroup, fieldDescriptions } from '../../../src/pipeline/config/describe.js';
import { fieldPaths } from '../../../src/pipeline/config/layers.js';
import { valueAt } from '../../../src/pipeline/config/paths.js';
import { presetNames, resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { configSchema } from '../../../src/pipeline/config/schema.js';

const fieldOf = (path: string) => fieldDescriptions().find((field) => field.path === path)!;

describe('fieldDescriptions', () => {
  it('has every field, with its meaning, what fits and its default', () => {
    expect(fieldDescriptions().map(({ path }) => path)).toEqual(fieldPaths);
    const defaults = configSchema.parse({});
    for (const field of fieldDescriptions()) {
      expect(field.description, field.path).toMatch(/\.$/);
      expect(field.range, field.path).toMatch(/^\S.{2,}[^.]$/);
      expect(field.default, field.path).toEqual(valueAt(defaults, field.path.split('.')));
    }
  });

  it('says what fits as the errors do', () => {
    expect(fieldOf('distil.steps').range).toBe('a whole number from 1 to 100000');
    expect(fieldOf('distil.gradientClip').range).toBe('a number above 0, at most 1e+30, or null');
    expect(fieldOf('data.folder').range).toBe("a folder's path, or null");
  });

  it('names the values where they are few', () => {
    expect(fieldOf('distil.memory').values).toEqual(['recompute', 'full', 'mixed']);
    expect(fieldOf('teacher.standardise').values).toEqual(['true', 'false']);
    expect(fieldOf('data.train').values).toEqual(['null']);
    expect(fieldOf('distil.steps').values).toEqual([]);
  });

  it('names values that fit, each alone', () => {
    for (const { path, values } of fieldDescriptions()) {
      for (const value of values) {
        const wrapped = path
          .split('.')
          .reduceRight<unknown>((inner, name) => ({ [name]: inner }), parse(value));
        const issues = configSchema.safeParse(wrapped).error?.issues ?? [];
        const own = issues.filter((issue) => issue.code !== 'custom' && issue.path.join('.') === path);
        expect(own, `${path}=${value}`).toEqual([]);
      }
    }
  });

  it('describes every group', () => {
    const groups = new Set(fieldPaths.flatMap((path) => path.split('.').slice(0, -1)[0] ?? []));
    expect(groups.size).toBeGreaterThan(5);
    for (const group of groups) expect(describeGroup(group), group).toMatch(/\.$/);
  });
});

describe('configJsonSchema', () => {
  const validate = new Ajv({ strict: false }).compile(configJsonSchema());

  it.each(presetNames)('takes %s, in full and as a name', (preset) => {
    expect(validate(resolveConfig({ preset, sets: [] }))).toBe(true);
    expect(validate({ preset })).toBe(true);
  });

  it.each([
    ['a field that does not exist', { distil: { step: 3 } }],
    ['a value out of range', { distil: { steps: 0 } }],
    ['a value of the wrong kind', { seed: 'one' }],
    ['an unknown choice', { teacher: { method: 'byol' } }],
    ['an unknown preset', { preset: 'mnist-smal' }],
  ])('refuses %s', (_, wrong) => {
    expect(validate(wrong)).toBe(false);
  });

  it('offers no group as a value', () => {
    const { properties } = configJsonSchema();
    expect(properties!.distil).not.toHaveProperty('default');
    expect(properties!.distil!.properties!.steps).toMatchObject({ default: 20 });
  });
});
