/** A page of the bundled Chromium, headless, with WebGPU on its SwiftShader: no root, no system package, no network. */
import { createServer, type Server } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build, createLogger, type Plugin } from 'vite';
import { browserKernels } from '../../build/browserKernels.js';
import { unpackedOnce } from '../../src/gpu/node/bundledArchives.js';

/** Whether the bundled Chromium can run here. */
export const hasBundledChromium = process.platform === 'linux' && process.arch === 'x64';

const ARCHIVES = ['chromium.br', 'al2023.tar.br', 'swiftshader.tar.br'].map((file) => ({ file }));

const FLAGS = [
  // Chromium offers WebGPU on Linux, and on a software adapter, only when told so.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

/** Vite puts an empty module in the place of one of Node's, and warns of it in production only. */
const warnOfNode: Plugin = {
  name: 'warn-of-node',
  enforce: 'pre',
  resolveId(id, importer) {
    if (isBuiltin(id)) this.warn(`${importer} imports Node's ${id}`);
  },
};

export interface Bundled {
  readonly code: string;
  /** What the bundler warned of, such as a module of Node's that a browser lacks. */
  readonly warnings: readonly string[];
}

/** Bundles a module and all that it imports for a browser, with the kernels as browsers get them, its exports kept. */
export async function bundleForBrowser(entry: string): Promise<Bundled> {
  const warnings: string[] = [];
  const customLogger = createLogger('warn');
  const keep = (message: string): number => warnings.push(message);
  customLogger.warn = keep;
  customLogger.warnOnce = keep;
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    customLogger,
    plugins: [warnOfNode, browserKernels()],
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry: resolve(entry), formats: ['es'] },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((each) =>
    'output' in each ? each.output : [],
  );
  const chunks = outputs.filter((output) => output.type === 'chunk');
  const [chunk] = chunks;
  if (chunk === undefined || chunks.length > 1)
    throw new Error(`${entry} was bundled into ${chunks.length} files`);
  return { code: chunk.code, warnings };
}

const DOCUMENT = `<!doctype html>
<title>hypergrad</title>
<link rel="icon" href="data:,">
<script type="module">import * as engine from './page.js'; globalThis.engine = engine;</script>
`;

async function serve(code: string): Promise<Server> {
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': ['text/html', DOCUMENT],
    '/page.js': ['text/javascript', code],
  };
  const server = createServer(({ url }, response) => {
    const [type, text] = files[url ?? ''] ?? ['text/plain', null];
    response.writeHead(text === null ? 404 : 200, { 'content-type': `${type}; charset=utf-8` });
    response.end(text);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

/** A page with a bundled module's exports in its global `engine`. */
export interface OpenPage {
  readonly page: Page;
  /** Whatever a visitor would find in the log: errors that nobody caught, errors on the console, a crash. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

/** Starts the bundled Chromium, with WebGPU or without. */
export async function launch({ hasGpu = true } = {}): Promise<Browser> {
  const folder = await unpackedOnce('Chromium', ARCHIVES);
  return await chromium.launch({
    executablePath: join(folder, 'chromium'),
    // The sandbox needs user namespaces, which containers often lack; the page is our own.
    chromiumSandbox: false,
    args: hasGpu ? FLAGS : ['--disable-features=WebGPU'],
    env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib') },
  });
}

/** Collects whatever a visitor would find in a page's log. */
export function faultsOf(page: Page): readonly string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`uncaught ${error.stack ?? error.message}`));
  page.on('crash', () => faults.push('the page crashed'));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  return faults;
}

/** Serves the module on 127.0.0.1, which counts as secure, and opens it. */
export async function openPage(code: string): Promise<OpenPage> {
  const browser = await launch();
  const server = await serve(code);
  const page = await browser.newPage();
  const faults = faultsOf(page);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const close = async (): Promise<void> => {
    await browser.close();
    await new Promise((closed) => server.close(closed));
  };
  if (faults.length > 0) {
    await close();
    throw new Error(`the page does not load: ${faults.join('\n')}`);
  }
  return { page, faults, close };
}
