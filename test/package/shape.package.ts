/** What is in the package, and whether Node, bundlers and TypeScript find it. */
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, inject, it } from 'vitest';

const packed = inject('packed');
const bytes = readFileSync(packed.tarball);
/** Of the tarball: what everybody downloads. */
const MOST_BYTES = 1_500_000;

describe('the package', () => {
  it(`is less than ${MOST_BYTES / 1e6} MB to download`, () => {
    expect(packed.size).toBeLessThan(MOST_BYTES);
  });

  it('holds what is built, the licence and the README, and nothing else', () => {
    const top = new Set(packed.files.map((file) => file.split('/')[0]));
    expect([...top].sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    for (const wanted of ['dist/cli.js', 'dist/index.js', 'dist/node.js', 'dist/browser/index.js']) {
      expect(packed.files).toContain(wanted);
    }
  });

  it('leads every relative import of its modules to a file that is there', () => {
    const modules = packed.files.filter((file) => /\.(js|d\.ts)$/.test(file));
    expect(modules.length).toBeGreaterThan(50);
    const missing = modules.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'"]*['"](\.[^'"]+)['"]/gm)]
        .map(([, specifier]) => new URL(specifier!, `file:///${file}`).pathname.slice(1))
        .map((target) => (file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target))
        .filter((target) => !packed.files.includes(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('has nothing that publint finds fault with', async () => {
    const tarball = new Uint8Array(bytes).buffer;
    const { messages, pkg } = await publint({ pack: { tarball }, level: 'suggestion', strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that every way of resolving finds and that fit what is loaded', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)));
    if (!analysis.types) throw new Error('the package has no types');
    // ESM only: `require` gets a module of that kind, and what knows no `exports` finds no hypergrad/node.
    const faults = analysis.problems.filter(
      (problem) =>
        problem.kind !== 'CJSResolvesToESM' &&
        !(problem.kind === 'NoResolution' && problem.resolutionKind === 'node10'),
    );
    expect(faults).toEqual([]);
  });
});
