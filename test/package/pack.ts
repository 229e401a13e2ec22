import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What npm says of a tarball. */
export interface Packed {
  /** Absolute path. */
  readonly tarball: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly files: readonly string[];
  /** Removes the tarball. */
  remove(): void;
}

/** Packs the package into a temporary folder: what was built last, or what is built before. */
export function pack({ builds }: { readonly builds: boolean }): Packed {
  const folder = mkdtempSync(join(tmpdir(), 'hypergrad-pack-'));
  const options = ['--json', '--pack-destination', folder, ...(builds ? [] : ['--ignore-scripts'])];
  const said = execFileSync('npm', ['pack', ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  // A build talks before npm does.
  const [facts] = JSON.parse(said.slice(`\n${said}`.lastIndexOf('\n['))) as {
    readonly filename: string;
    readonly size: number;
    readonly files: readonly { readonly path: string }[];
  }[];
  const { filename, size, files } = facts!;
  return {
    tarball: join(folder, filename),
    size,
    files: files.map(({ path }) => path),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
