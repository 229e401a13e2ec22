import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';

export interface Bundle {
  readonly folder: string;
  /** Absolute path of an entry's bundled module. */
  entry(name: string): string;
  remove(): Promise<void>;
}

/** Bundles source files as the package is bundled, into a temporary folder, for child processes to import. */
export async function bundle(entries: Readonly<Record<string, string>>): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'hypergrad-bundle-'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      ssr: true,
      target: 'node20',
      outDir: join(folder, 'dist'),
      emptyOutDir: true,
      rolldownOptions: { input: { ...entries }, output: { entryFileNames: '[name].mjs' } },
    },
  });
  return {
    folder,
    entry: (name) => join(folder, 'dist', `${name}.mjs`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
