/** What is in the package, and whether Node, bundlers and TypeScript find it: of what was built last. */
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importsOf } from '../support/architecture.js';
import { type Packed, pack } from './pack.js';

/** Of the tarball: what everybody downloads. */
const MOST_BYTES = 1_600_000;

describe.skipIf(!existsSync('dist/cli.js'))('the package (once `npm run build` has made it)', () => {
  let packed: Packed;
  let bytes: Uint8Array<ArrayBuffer>;
  beforeAll(() => {
    packed = pack({ builds: false });
    bytes = new Uint8Array(readFileSync(packed.tarball));
  });
  afterAll(() => packed.remove());

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
      importsOf(readFileSync(file, 'utf8'))
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => posix.join(posix.dirname(file), specifier))
        .map((target) => (file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target))
        .filter((target) => !packed.files.includes(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('has nothing that publint finds fault with', async () => {
    const { messages, pkg } = await publint({
      pack: { tarball: bytes.buffer },
      level: 'suggestion',
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that every way of resolving finds and that fit what is loaded', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(bytes));
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
