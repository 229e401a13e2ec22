import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelNames } from '../src/kernels/catalogue.js';
import {
  exportFaults,
  importFaults,
  importsOf,
  kernelHeaderFaults,
  nodeNeeds,
} from './support/architecture.js';
import { type SourceTree, sourceTree } from './support/sourceTree.js';

/** A file much longer than this usually holds two things. */
const MOST_LINES = 350;
/** One of tests, which are lists of cases, than this. */
const MOST_TEST_LINES = 400;
/** Texts that kernels include, not kernels. */
const INCLUDED = ['functions', 'philox', 'prelude', 'rowTree', 'tileProduct', 'windows'];

/** Those parts of `web` that Node runs: what builds the page, and what records its run. */
const OF_NODE = /^web\/(record\.ts|[^/]+\.config\.ts|public\/.*|recorded\/.*)$/;

const tree: SourceTree = Object.fromEntries(
  Object.entries(sourceTree('src', 'web')).filter(([path]) => !OF_NODE.test(path)),
);
const paths = Object.keys(tree);
const kernels = paths.filter((path) => path.endsWith('.wgsl'));

describe('the source tree', () => {
  it('imports down the layers only, and nothing of Node where a browser must run it', () => {
    expect(paths.length).toBeGreaterThan(50);
    expect(importFaults(tree)).toEqual([]);
  });

  it('reaches nothing of Node’s from the page', () => {
    const pages = paths.filter((path) => /^web\/.*\.tsx?$/.test(path));
    expect(pages.length).toBeGreaterThan(20);
    expect(nodeNeeds(tree, pages)).toEqual([]);
    expect(
      importFaults({ ...tree, 'src/nn/made.ts': "import { a } from '../../web/choices.js';" }),
    ).toHaveLength(2);
  });

  it('has no default exports, and no files that hand on all of another', () => {
    expect(exportFaults(tree)).toEqual([]);
  });

  it('has an index in two places: the public entry and the table of operations', () => {
    expect(paths.filter((path) => /(^|\/)index\.tsx?$/.test(path)).sort()).toEqual([
      'src/autograd/ops/index.ts',
      'src/index.ts',
    ]);
  });

  it(`has no file of more than ${MOST_LINES} lines, or ${MOST_TEST_LINES} of tests`, () => {
    const code = Object.entries(sourceTree('src', 'web', 'test', 'bench', 'examples', 'build')).filter(
      ([path]) => /\.(tsx?|wgsl|css|py)$/.test(path),
    );
    expect(code.length).toBeGreaterThan(paths.length);
    const most = (path: string): number => (path.startsWith('test/') ? MOST_TEST_LINES : MOST_LINES);
    const long = code.filter(([path, text]) => text.split('\n').length > most(path) + 1);
    expect(long.map(([path]) => path)).toEqual([]);
  });

  it('has every kernel file in the catalogue', () => {
    const names = kernels.map((path) => basename(path, '.wgsl'));
    expect(names.filter((name) => !INCLUDED.includes(name)).sort()).toEqual([...kernelNames].sort());
    expect(names).toEqual(expect.arrayContaining(INCLUDED));
  });

  it('says in every kernel file what is computed, from which bindings, by how many invocations', () => {
    const own = kernels.filter((path) => !INCLUDED.includes(basename(path, '.wgsl')));
    expect(own.flatMap((path) => kernelHeaderFaults(path, tree[path]!))).toEqual([]);
  });
});

describe('the checker itself', () => {
  const faultsOf = (path: string, text: string): string[] => importFaults({ [path]: text });

  it.each([
    [
      'an import upwards',
      'src/gpu/made.ts',
      "import { a } from '../kernels/a.js';",
      /\(gpu\) imports .*\(kernels\)/,
    ],
    ['a type import upwards', 'src/nn/made.ts', "import type { A } from '../pipeline/a.js';", /pipeline/],
    [
      'a re-export upwards',
      'src/autograd/ops/made.ts',
      "export { a } from '../../nn/a.js';",
      /src\/nn\/a\.ts/,
    ],
    ['a dynamic import upwards', 'src/nn/made.ts', "const a = await import('../cli/a.js');", /src\/cli/],
    ['an import sideways', 'src/cli/made.ts', "import { a } from '../web/a.js';", /\(web\)/],
    ['an import of an entry', 'src/nn/made.ts', "import { a } from '../index.js';", /public entry/],
    ['an import of a folder in no layer', 'src/nn/made.ts', "import { a } from '../other/a.js';", /no layer/],
    [
      'an import sideways by a view',
      'web/app/made.tsx',
      "import { a } from '../../src/cli/a.js';",
      /\(cli\)/,
    ],
    ['a file in no layer', 'src/other/made.ts', "import { a } from '../gpu/a.js';", /no layer/],
    ['an import by errors.ts', 'src/errors.ts', "import { a } from './gpu/a.js';", /below every layer/],
    ['a module of Node', 'src/nn/made.ts', "import { join } from 'node:path';", /Node's node:path/],
    ['a module of Node without prefix', 'src/gpu/made.ts', "import { a } from 'fs/promises';", /Node's fs/],
    ['a package for Node', 'src/kernels/made.ts', "import sharp from 'sharp';", /package sharp/],
    [
      'what opens a device under Node',
      'src/nn/made.ts',
      "import { a } from '../gpu/node/a.js';",
      /needs Node/,
    ],
    [
      'the package’s file in the engine',
      'src/nn/made.ts',
      "import p from '../../package.json';",
      /needs Node/,
    ],
    ['Node in the browser’s entry', 'src/index.ts', "export { a } from './pipeline/a.js';", /needs Node/],
  ])('catches %s', (_, path, text, message) => {
    expect(faultsOf(path, text).join('\n')).toMatch(message);
  });

  it.each([
    ['an import downwards', 'src/nn/made.ts', "import { a } from '../gpu/a.js';"],
    ['an import within a layer', 'src/autograd/ops/made.ts', "import { a } from '../tape.js';"],
    ['errors everywhere', 'src/gpu/made.ts', "import { a } from '../errors.js';"],
    ['a kernel’s text', 'src/kernels/made.ts', "import a from './a.wgsl?raw';"],
    [
      'the allowed package',
      'src/kernels/made.ts',
      "import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';",
    ],
    ['Node above the engine', 'src/pipeline/made.ts', "import { join } from 'node:path';"],
    ['the package’s version in a command', 'src/cli/made.ts', "import p from '../../package.json';"],
    ['everything in an entry', 'src/node.ts', "export { a } from './cli/a.js';"],
  ])('lets pass %s', (_, path, text) => {
    expect(faultsOf(path, text)).toEqual([]);
  });

  it('finds imports where they stand, and none in comments and strings', () => {
    const text =
      "// import 'a'\nconst s = \"import 'b'\";\nimport 'c';\nexport * from 'd';\nawait import('e');";
    expect(importsOf(text)).toEqual(['c', 'd', 'e']);
  });

  it('catches Node where a page comes to it by way of others, but not by types alone', () => {
    const made: SourceTree = {
      'web/app/made.tsx':
        "import { a } from '../../src/pipeline/a.js';\nimport type { B } from '../../src/pipeline/b.js';",
      'src/pipeline/a.ts': "import sharp from 'sharp';",
      'src/pipeline/b.ts': "import { join } from 'node:path';",
    };
    expect(nodeNeeds(made, ['web/app/made.tsx'])).toEqual([
      expect.stringMatching(/pipeline\/a\.ts imports sharp/),
    ]);
  });

  it('catches default exports and barrels', () => {
    const faults = exportFaults({
      'src/nn/a.ts': 'export default function a() {}',
      'src/nn/b.ts': 'const b = 1;\nexport default b;',
      'src/nn/c.ts': "export * from './a.js';",
      'src/nn/d.ts': "export { a as b } from './a.js';\nexport const text = 'export default';",
      'web/e.tsx': 'export default () => <p>made</p>;',
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      ...['src/nn/a.ts', 'src/nn/b.ts', 'src/nn/c.ts'],
      'web/e.tsx',
    ]);
  });

  it('catches a kernel without header, equation, bindings or launch', () => {
    const whole =
      '// Adds.\n//\n//   c[i] = a[i] + b[i]\n//\n// bindings  a   b   c\n// launch    one\n\nfn main() {}';
    expect(kernelHeaderFaults('a.wgsl', whole)).toEqual([]);
    expect(kernelHeaderFaults('a.wgsl', whole.replace('//   c[i] = a[i] + b[i]\n', ''))).toHaveLength(1);
    expect(kernelHeaderFaults('a.wgsl', whole.replace('// launch', '// run'))).toHaveLength(1);
    expect(kernelHeaderFaults('a.wgsl', whole.replace('// bindings', '// with'))).toHaveLength(1);
    expect(kernelHeaderFaults('a.wgsl', `\n${whole}`)).toHaveLength(4);
  });
});
