import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { environmentVariables, sourceTree } from '../support/sourceTree.js';

it('names every variable of the environment that the sources read', () => {
  const [, table] = readFileSync('docs/guide/debugging.md', 'utf8').split('## Variables of the environment');
  const named = new Set(table!.match(/^\| `HYPERGRAD_[A-Z_]+`/gm)!.map((cell) => cell.slice(3, -1)));
  expect(named.size).toBeGreaterThan(3);
  expect([...named].sort()).toEqual(environmentVariables(sourceTree('src')));
});
