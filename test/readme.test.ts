import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

// Its example is run with those of all other pages, by docs/pages.test.ts.
it('names the test command that continuous integration runs', async () => {
  const readme = await readFile('README.md', 'utf8');
  const script = await readFile('.ci/run', 'utf8');
  expect(readme).toContain('npm ci && npm test');
  const commands = script.split('\n').filter((line) => line.startsWith('npm '));
  expect(commands).toEqual(['npm ci', 'npm test']);
});
