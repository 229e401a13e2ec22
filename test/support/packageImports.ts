/** Which npm packages the sources import, for the checks of package.json. */
import { builtinModules } from 'node:module';
import ts from 'typescript';
import { isTypeScript, type SourceTree } from './sourceTree.js';

/** An import of a package, as a file has it. */
export interface PackageImport {
  readonly file: string;
  readonly name: string;
  /** Whether only types are taken, or the package is loaded when it is needed. */
  readonly kind: 'value' | 'type' | 'dynamic';
}

/** "vega" of "vega/build/x.js", "@img/sharp" of "@img/sharp/lib". */
const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

const isPackage = (specifier: string): boolean =>
  !specifier.startsWith('.') && !specifier.startsWith('node:') && !builtinModules.includes(specifier);

function importsOfFile(file: string, text: string): PackageImport[] {
  const found: PackageImport[] = [];
  const add = (specifier: ts.Node | undefined, kind: PackageImport['kind']): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier) || !isPackage(specifier.text)) return;
    found.push({ file, name: packageOf(specifier.text), kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly ? 'type' : 'value');
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value');
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], 'dynamic');
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/** The imports of packages in the TypeScript files of a tree; Node's own modules are none. */
export const packageImports = (tree: SourceTree): PackageImport[] =>
  Object.entries(tree)
    .filter(([path]) => isTypeScript(path))
    .flatMap(([path, text]) => importsOfFile(path, text));
