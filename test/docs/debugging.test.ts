import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('names every variable of the environment that the sources read', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join('src', name), 'utf8'));
  const read = new Set(sources.flatMap((text) => text.match(/\bHYPERGRAD_[A-Z_]+\b/g) ?? []));
  const [, table] = readFileSync('docs/guide/debugging.md', 'utf8').split('## Variables of the environment');
  const named = new Set(table!.match(/^\| `HYPERGRAD_[A-Z_]+`/gm)!.map((cell) => cell.slice(3, -1)));
  expect(named.size).toBeGreaterThan(3);
  expect([...named].sort()).toEqual([...read].sort());
});
