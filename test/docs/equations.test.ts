import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const PAGE = 'docs/equations.md';

interface Link {
  readonly symbol: string;
  readonly target: string;
}

/** Links from a name in code type to a file, as `[`name`](path)`. */
const linksOf = (page: string): Link[] =>
  [...page.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)].map(([, symbol, target]) => ({
    symbol: symbol!,
    target: target!,
  }));

/** Names that a TypeScript text declares at its top level. */
function declarationsOf(text: string): Set<string> {
  const names = new Set<string>();
  for (const statement of ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest).statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) {
        if (ts.isIdentifier(name)) names.add(name.text);
      }
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name !== undefined) names.add(statement.name.text);
    }
  }
  return names;
}

/** What is wrong with a link: null where its file declares its name. */
function faultOf({ symbol, target }: Link): string | null {
  let text: string;
  try {
    text = readFileSync(join(dirname(PAGE), target), 'utf8');
  } catch {
    return `${target} is not there`;
  }
  return declarationsOf(text).has(symbol) ? null : `${target} declares no ${symbol}`;
}

describe(PAGE, () => {
  const page = readFileSync(PAGE, 'utf8');

  it('links every name to a file that declares it', () => {
    const links = linksOf(page);
    expect(links.length).toBeGreaterThan(40);
    expect(links.flatMap((link) => faultOf(link) ?? [])).toEqual([]);
  });

  it('has a line for each of the six equations', () => {
    for (let k = 1; k <= 6; k++) expect(page).toMatch(new RegExp(`^\\| \\(${k}\\) \\|.*\\.\\./src/`, 'm'));
  });

  it('is held by a check that catches a file that moved and a name that changed', () => {
    expect(faultOf({ symbol: 'vjp', target: '../src/autograd/moved.ts' })).toMatch(/not there/);
    expect(faultOf({ symbol: 'renamed', target: '../src/autograd/gradient.ts' })).toMatch(/no renamed/);
    expect(faultOf({ symbol: 'vjp', target: '../src/autograd/gradient.ts' })).toBeNull();
  });
});
