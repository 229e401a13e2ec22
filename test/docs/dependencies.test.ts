import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Package {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
interface LockFile {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
}

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const ours = read<Package>('package.json');
const page = readFileSync('docs/dependencies.md', 'utf8');

/** Names and licences of the rows below a heading. */
function rowsBelow(heading: string): (readonly [name: string, licence: string])[] {
  const section = page.split(`## ${heading}\n`)[1]!.split('\n## ')[0]!;
  return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+?) \|/gm)].map(([, name, licence]) => [
    name!,
    licence!,
  ]);
}

const installed = (names: Readonly<Record<string, string>> = {}): [string, string | undefined][] =>
  Object.keys(names).map((name) => [name, read<Package>(`node_modules/${name}/package.json`).license]);

describe('docs/dependencies.md', () => {
  it('names every dependency at run time with the licence that it is installed under', () => {
    expect(rowsBelow('At run time').sort()).toEqual(installed(ours.dependencies).sort());
  });

  it('names every optional dependency with its licence', () => {
    expect(rowsBelow('At run time, optional').sort()).toEqual(installed(ours.optionalDependencies).sort());
  });

  it('names every dependency for building and testing with its licence', () => {
    expect(rowsBelow('For building and testing').sort()).toEqual(installed(ours.devDependencies).sort());
  });

  it('names the one package that has a script at its installation', () => {
    const withScripts = Object.entries(read<LockFile>('package-lock.json').packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path);
    expect(withScripts).toEqual(['node_modules/webgpu']);
    expect(page).toContain('One package has one: `webgpu`');
  });
});
