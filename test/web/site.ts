/** The built page in the bundled Chromium, served as a static host would: from a sub-path, and nothing else. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { build } from 'vite';
import { faultsOf, launch } from '../browser/chromium.js';

/** Where the folder lies on its host. */
const SUB_PATH = '/some/where/';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
};

/** Builds a folder of the repository with its own configuration, and gives back where the result lies. */
export async function buildSite(configFile: string, outDir: string): Promise<string> {
  await build({ configFile, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  return outDir;
}

/** Serves a folder's files below the sub-path, and nothing above it. */
export async function serveFolder(
  folder: string,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server: Server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url ?? '', 'http://localhost');
    const inside = pathname.startsWith(SUB_PATH) ? pathname.slice(SUB_PATH.length) || 'index.html' : null;
    const file = inside === null ? null : join(folder, normalize(`/${inside}`));
    const bytes = file === null ? null : await readFile(file).catch(() => null);
    const type = types[extname(file ?? '')] ?? 'application/octet-stream';
    response.writeHead(bytes === null ? 404 : 200, { 'content-type': type });
    response.end(bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}${SUB_PATH}`,
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}

/** A page of the site, and what must not be seen of it. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors that a visitor would find in the log. */
  readonly faults: readonly string[];
  /** Addresses that were asked for, of the site's own host and of others. */
  readonly requests: readonly string[];
}

/** A browser and a served folder. */
export class Site {
  readonly address: string;
  readonly #browser: Browser;
  readonly #stop: () => Promise<void>;

  private constructor(address: string, browser: Browser, stop: () => Promise<void>) {
    this.address = address;
    this.#browser = browser;
    this.#stop = stop;
  }

  static async open(folder: string, options: { readonly hasGpu?: boolean } = {}): Promise<Site> {
    const { address, close } = await serveFolder(folder);
    return new Site(address, await launch(options), close);
  }

  /** Opens the site as somebody who was never there; what `prepare` does comes first. */
  async visit(
    query = '',
    options: BrowserContextOptions = {},
    prepare?: (context: BrowserContext) => Promise<void>,
  ): Promise<Visit> {
    const context = await this.#browser.newContext(options);
    await prepare?.(context);
    const page = await context.newPage();
    const faults = faultsOf(page);
    const requests: string[] = [];
    context.on('request', (request) => requests.push(request.url()));
    await page.goto(`${this.address}${query}`);
    return { page, context, faults, requests };
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#stop();
  }
}
