/** Packs the package once for all its checks; `npm pack` builds it first. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** What npm says of a tarball. */
export interface Packed {
  /** Absolute path. */
  readonly tarball: string;
  /** Bytes of the tarball, and of what it unpacks to. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    packed: Packed;
  }
}

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'hypergrad-pack-'));
  const said = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  // The build says something before.
  const [facts] = JSON.parse(said.slice(said.lastIndexOf('\n[') + 1)) as {
    readonly filename: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  }[];
  const { filename, size, unpackedSize, files } = facts!;
  project.provide('packed', {
    tarball: join(folder, filename),
    size,
    unpackedSize,
    files: files.map(({ path }) => path),
  });
  return () => rmSync(folder, { recursive: true });
}
