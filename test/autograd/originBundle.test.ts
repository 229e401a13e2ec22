import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.js';

const run = promisify(execFile);

/** Prints the message with which a sum of two lengths is refused. */
const program = (engine: string): string =>
  [
    `import { add, f32, trace } from ${JSON.stringify(engine)};`,
    'try {',
    '  trace({ a: f32(2), b: f32(3) }, ({ a, b }) => ({',
    '    sum: add(a, b),',
    '  }));',
    '} catch (error) {',
    '  process.stdout.write(error.message);',
    '}',
    '',
  ].join('\n');

let folder: string;
let bundled: Bundle;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'hypergrad-origin-')));
  const together = join(folder, 'together.js');
  await writeFile(together, program(resolve('src/index.ts')));
  bundled = await bundle({ together });
  const engine = await bundle({ engine: resolve('src/index.ts') });
  await writeFile(join(folder, 'apart.mjs'), program(engine.entry('engine')));
  removals.push(() => engine.remove());
});
const removals: (() => Promise<void>)[] = [
  () => rm(folder, { recursive: true, force: true }),
  () => bundled.remove(),
];
afterAll(async () => {
  for (const remove of removals) await remove();
});

it('names the user’s line when the engine is a bundle of its own', async () => {
  const { stdout } = await run(process.execPath, [join(folder, 'apart.mjs')]);
  expect(stdout).toMatch(/^add: shapes \[2\] and \[3\] do not broadcast/);
  expect(stdout).toContain(` Traced at ${join(folder, 'apart.mjs')}:4:10.`);
});

it('names no line when the user’s code is in the same bundle', async () => {
  const { stdout } = await run(process.execPath, [bundled.entry('together')]);
  expect(stdout).toMatch(/^add: shapes \[2\] and \[3\] do not broadcast/);
  expect(stdout).not.toMatch(/Traced|\.m?js/);
});
