import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';

const scratch: string[] = [];
afterAll(() => Promise.all(scratch.map((folder) => rm(folder, { recursive: true, force: true }))));

it("runs the README's example as it stands", async () => {
  const readme = await readFile('README.md', 'utf8');
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const folder = await mkdtemp(resolve('test', '.readme-'));
  scratch.push(folder);
  const source = example!
    .replaceAll("'hypergrad/node'", `'${resolve('src/node.ts')}'`)
    .replaceAll("'hypergrad'", `'${resolve('src/index.ts')}'`);
  await writeFile(join(folder, 'example.ts'), source);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(join(folder, 'example.ts'));
  expect(log).toHaveBeenCalledWith(expect.stringMatching(/^loss \d+\.\d+, 3920 pixel derivatives$/));
  log.mockRestore();
});

it('names the test command that continuous integration runs', async () => {
  const readme = await readFile('README.md', 'utf8');
  const script = await readFile('.ci/run', 'utf8');
  expect(readme).toContain('npm ci && npm test');
  const commands = script.split('\n').filter((line) => line.startsWith('npm '));
  expect(commands).toEqual(['npm ci', 'npm test']);
});
