/** Two runs on one device at the same time, each in a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.js';
import { folderContents } from '../support/folderContents.js';

const run = promisify(execFile);

let built: Bundle;
let scratch = '';
beforeAll(async () => {
  built = await bundle({ node: 'src/node.ts' });
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-beside-'));
});
afterAll(async () => {
  await built.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** A process of its own that runs the preset tiny-test in a folder. */
async function tinyProcess(name: string): Promise<Record<string, string>> {
  const script = join(built.folder, `${name}.mjs`);
  const folder = join(scratch, name);
  await writeFile(
    script,
    `import * as hypergrad from ${JSON.stringify(built.entry('node'))};
    const sets = ['evaluate.rows=[randomEncoder]', 'evaluate.seeds=1', 'distil.iterations=8'];
    const config = hypergrad.resolveConfig({ preset: 'tiny-test', sets, seed: 1 });
    const device = await hypergrad.openDevice();
    const dataset = await hypergrad.loadDataset(config.data, config.seed);
    const folder = await hypergrad.RunFolder.open(${JSON.stringify(folder)});
    const progress = hypergrad.silentProgress;
    await hypergrad.runPipeline({ config, dataset, folder, device, progress, command: 'test' });
    await folder.close();
    device.close();`,
  );
  await run(process.execPath, [script], { timeout: 100_000 });
  return folderContents(folder);
}

it('a run has the same bits alone and beside another on the same device', async () => {
  const [one, other] = await Promise.all([tinyProcess('one'), tinyProcess('other')]);
  const alone = await tinyProcess('alone');
  expect(Object.keys(alone)).toContain('synthetic.safetensors');
  expect(one).toEqual(alone);
  expect(other).toEqual(alone);
});
