import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactWgsl } from '../../build/browserKernels.js';
import { hasBundledChromium } from '../browser/chromium.js';
import { buildSite, Site } from './site.js';

const PATIENCE = 300_000;
/** Of the engine, gzipped, with all kernels. */
const MOST_BYTES = 60_000;
const KERNELS = 'src/kernels';

/** The tokens of a kernel's file; what is put in by a definition is one. */
const tokensOf = (wgsl: string): string[] =>
  wgsl.replace(/\/\/.*/g, '').match(/\w[\w.]*|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||--|\+\+|->|\S/g) ?? [];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypergrad-library-'));
  await buildSite('vite.browser.config.ts', join(folder, 'dist/browser'));
}, PATIENCE);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bundles a module that uses the library as a page with a bundler does, into one file; `hypergrad` is the built one. */
async function bundled(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { hypergrad: join(folder, 'dist/browser/index.js') } },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' },
    },
  });
  const chunks = [built]
    .flat()
    .flatMap((each) => ('output' in each ? each.output : []))
    .filter((each) => each.type === 'chunk');
  const [main] = chunks;
  if (main === undefined || chunks.length > 1) throw new Error(`${entry} became ${chunks.length} files`);
  return main.code;
}

describe('the library for browsers', () => {
  it('leaves comments and idle blanks out of kernels', () => {
    expect(compactWgsl('// Adds.\n\nfn main() {\n  let a = b / c; // half\n}\n')).toBe(
      'fn main(){\nlet a=b/c;\n}',
    );
    expect(compactWgsl(`#if \${A > 1}\nx = a - -b - \${C} / d;\n#endif`)).toBe(
      `#if \${A > 1}\nx=a- -b- \${C}/d;\n#endif`,
    );
  });

  it('leaves every token of every kernel in, and none beside what a definition may continue', async () => {
    const names = (await readdir(KERNELS)).filter((name) => name.endsWith('.wgsl'));
    expect(names.length).toBeGreaterThan(30);
    for (const name of names) {
      const text = await readFile(join(KERNELS, name), 'utf8');
      const compact = compactWgsl(text);
      expect(tokensOf(compact), name).toEqual(tokensOf(text));
      expect(compact.length, name).toBeLessThan(text.length);
      expect(compact, name).not.toMatch(/[-+*/%&|^!=]\$\{/);
    }
  });

  it(
    `brings nothing that a page does not use, and the engine in less than ${MOST_BYTES} bytes gzipped`,
    async () => {
      const code = await bundled('examples/browser/bundler/main.ts');
      expect(code).not.toMatch(/digraph|conv1.weight|bn1.gamma|layer1|resolveQuerySet|has no reference/);
      expect(gzipSync(code, { level: 9 }).length).toBeLessThan(MOST_BYTES);
    },
    PATIENCE,
  );
});

describe('the library’s small file', () => {
  it('leaves errors the names by which they are told apart', async () => {
    const file = pathToFileURL(join(folder, 'dist/browser/hypergrad.min.js')).href;
    const { openBrowserDevice } = (await import(
      /* @vite-ignore */ file
    )) as typeof import('../../src/index.js');
    await expect(openBrowserDevice({ choice: 'no such' as 'auto' })).rejects.toMatchObject({
      name: 'ConfigError',
    });
  });
});

describe.skipIf(!hasBundledChromium)('its examples (Chromium on Linux x64 only)', () => {
  it(
    'compute the same with a bundler and without one',
    async () => {
      const page = await readFile('examples/browser/plain/index.html', 'utf8');
      expect(page).toContain('"../../../dist/browser/hypergrad.min.js"');
      const said: string[] = [];
      await build({
        configFile: false,
        logLevel: 'error',
        root: resolve('examples/browser/bundler'),
        base: './',
        resolve: { alias: { hypergrad: join(folder, 'dist/browser/index.js') } },
        build: { target: 'es2022', outDir: join(folder, 'examples/browser/bundler'), modulePreload: false },
      });
      await mkdir(join(folder, 'examples/browser/plain'), { recursive: true });
      await writeFile(join(folder, 'examples/browser/plain/index.html'), page);
      const site = await Site.open(folder);
      try {
        for (const name of ['bundler', 'plain']) {
          const { page: opened, faults } = await site.visit(`examples/browser/${name}/index.html`);
          await expect
            .poll(() => faults[0] ?? opened.locator('output').innerText(), { timeout: PATIENCE })
            .not.toBe('…');
          expect(faults).toEqual([]);
          said.push(await opened.locator('output').innerText());
          expect(faults).toEqual([]);
        }
      } finally {
        await site.close();
      }
      expect(said[0]).toMatch(/^loss \d/);
      expect(said[1]).toBe(said[0]);
    },
    PATIENCE,
  );
});
