/** The rules of the source tree, as functions of file names and texts. */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';
import { isTypeScript, type SourceTree } from './sourceTree.js';

/** Layers from the bottom up; those of one entry stand side by side. Imports go downwards only. */
const LAYERS: readonly (readonly string[])[] = [
  ['gpu'],
  ['kernels'],
  ['autograd'],
  ['nn'],
  ['pipeline'],
  ['cli', 'web'],
];

/** Public entries: they may import everything, and no layer imports them. */
const ENTRIES = ['src/index.ts', 'src/node.ts'];
/** Below every layer, for all of them. */
const BASE = ['src/errors.ts', 'src/suggest.ts'];
/** Data that belongs to no layer: the package's own version. */
const PACKAGE = 'package.json';

/** What runs in a browser as well: the engine and its entry, but for the ways to open a device under Node. */
const PORTABLE = /^src\/(index\.ts$|errors\.ts$|suggest\.ts$|gpu\/[^/]+$|kernels\/|autograd\/|nn\/)/;
const PORTABLE_PACKAGES = /^wgsl-preprocessor\/.+$/;

/** What the page may bring along. */
const BROWSER_PACKAGES =
  /^(wgsl-preprocessor\/.+|zod|simple-statistics|preact(\/hooks)?|uplot(\/.+\.css)?|idb-keyval)$/;

/** What a TypeScript file imports, re-exports or loads, as written. */
export function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function resolve(importer: string, specifier: string): string {
  const path = posix.join(posix.dirname(importer), specifier.replace(/\?.*$/, ''));
  return path.replace(/\.js$/, '.ts');
}

const layerOf = (path: string): string | undefined => /^(?:src\/)?([^/]+)\//.exec(path)?.[1];
const heightOf = (layer: string): number => LAYERS.findIndex((level) => level.includes(layer));

function layerFault(importer: string, imported: string): string | null {
  if (ENTRIES.includes(importer) || BASE.includes(imported) || imported === PACKAGE) return null;
  if (BASE.includes(importer)) return `${importer} imports ${imported}, but it stands below every layer`;
  if (ENTRIES.includes(imported)) return `${importer} imports the public entry ${imported}`;
  const [from, to] = [layerOf(importer), layerOf(imported)];
  if (from === undefined || heightOf(from) < 0) return `${importer} lies in no layer`;
  if (to === undefined || heightOf(to) < 0) return `${importer} imports ${imported}, which lies in no layer`;
  if (from === to || heightOf(to) < heightOf(from)) return null;
  return `${importer} (${from}) imports ${imported} (${to}), which is not below it`;
}

const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier.split('/')[0]!);

/** What a file's code needs when it runs: its imports but for those of types alone. */
function valueImportsOf(text: string): string[] {
  const file = ts.createSourceFile('file.tsx', text, ts.ScriptTarget.Latest);
  const typesOnly = new Set<string>();
  for (const statement of file.statements) {
    const isOfTypes =
      (ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly);
    if (isOfTypes && statement.moduleSpecifier) {
      typesOnly.add((statement.moduleSpecifier as ts.StringLiteral).text);
    }
  }
  return importsOf(text).filter((specifier) => !typesOnly.has(specifier));
}

/** Modules and packages of Node's that some files need when they run, however far below. */
export function nodeNeeds(tree: SourceTree, entries: readonly string[]): string[] {
  const seen = new Set<string>();
  const faults: string[] = [];
  const follow = (path: string): void => {
    if (seen.has(path) || tree[path] === undefined) return;
    seen.add(path);
    for (const specifier of valueImportsOf(tree[path])) {
      if (specifier.startsWith('.')) {
        const found = resolve(path, specifier);
        follow(tree[found] === undefined ? found.replace(/\.ts$/, '.tsx') : found);
      } else if (isBuiltin(specifier) || !BROWSER_PACKAGES.test(specifier)) {
        faults.push(`${path} imports ${specifier}, and a browser runs it`);
      }
    }
  };
  for (const entry of entries) follow(entry);
  return faults;
}

function portabilityFault(importer: string, specifier: string): string | null {
  if (!PORTABLE.test(importer)) return null;
  if (specifier.startsWith('.')) {
    const imported = resolve(importer, specifier);
    return PORTABLE.test(imported) ? null : `${importer} imports ${imported}, which needs Node`;
  }
  if (isBuiltin(specifier)) return `${importer} imports Node's ${specifier}`;
  return PORTABLE_PACKAGES.test(specifier) ? null : `${importer} imports the package ${specifier}`;
}

/** Imports that go upwards or sideways, or bring Node into what must run in a browser. */
export function importFaults(tree: SourceTree): string[] {
  return Object.entries(tree)
    .filter(([path]) => isTypeScript(path))
    .flatMap(([path, text]) =>
      importsOf(text).flatMap((specifier) => [
        specifier.startsWith('.') ? layerFault(path, resolve(path, specifier)) : null,
        portabilityFault(path, specifier),
      ]),
    )
    .filter((fault) => fault !== null);
}

/** Default exports, and files that only hand on what others export. */
export function exportFaults(tree: SourceTree): string[] {
  const faults: string[] = [];
  for (const [path, text] of Object.entries(tree)) {
    if (!isTypeScript(path)) continue;
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
    for (const statement of file.statements) {
      const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
      if (
        ts.isExportAssignment(statement) ||
        modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
      ) {
        faults.push(`${path} has a default export`);
      }
      const handsOnAll = ts.isExportDeclaration(statement) && statement.exportClause === undefined;
      if (handsOnAll && !ENTRIES.includes(path)) faults.push(`${path} exports all of another file`);
    }
  }
  return faults;
}

/** What the header comment of a kernel file lacks. */
export function kernelHeaderFaults(path: string, text: string): string[] {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  const header = lines.slice(0, end < 0 ? lines.length : end);
  const wanted = {
    'a header comment': header.length > 0,
    'an equation': header.some((line) => /^\/\/ {3}.*\S +\+?= \S/.test(line)),
    "a line 'bindings'": header.some((line) => /^\/\/ bindings\b/.test(line)),
    "a line 'launch'": header.some((line) => /^\/\/ launch\b/.test(line)),
  };
  return Object.entries(wanted).flatMap(([what, found]) => (found ? [] : [`${path} lacks ${what}`]));
}
