import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ConfigError, StoreError } from '../../../src/errors.js';
import type { Config } from '../../../src/pipeline/config/schema.js';
import { decodeSet } from '../../../src/pipeline/evaluate/givenSet.js';
import type { Evaluation } from '../../../src/pipeline/evaluate/record.js';
import { decodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { said as hypergrad, refusal } from '../../support/command.js';
import { runPython } from '../../support/python.js';

let scratch = '';
const run = () => join(scratch, 'run');
const out = (name: string) => join(scratch, name);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-export-'));
  await hypergrad('run', '--preset', 'tiny-test', '--set', 'distil.snapshots=2', '--out', run());
});
afterAll(() => rm(scratch, { recursive: true }));

describe('hypergrad export', () => {
  it('hands over a set that evaluates as the run itself does', async () => {
    await hypergrad('export', run(), '--out', out('set'));
    const own = decodeSafetensors(await readFile(join(run(), 'synthetic.safetensors')), 'own');
    const given = decodeSet(await readFile(join(out('set'), 'synthetic.safetensors')), 'given');
    const ownImages = own.tensors.get('images')!.data;
    const largest = given.images.reduce(
      (most, value, k) => Math.max(most, Math.abs(value - ownImages[k]!)),
      0,
    );
    expect(given.images).toHaveLength(ownImages.length);
    // Out of the standardised scale and back again, in float32.
    expect(largest).toBeLessThan(1e-5);
    expect(given.targets!.data).toEqual(own.tensors.get('targets')!.data);
    const rows = 'evaluate.rows=[mkdt]';
    const set = join(out('set'), 'synthetic.safetensors');
    const said = await hypergrad('evaluate', set, '--teacher', run(), '--set', rows, '--json');
    const { evaluation } = JSON.parse(said) as { evaluation: Evaluation };
    const before = JSON.parse(await readFile(join(run(), 'evaluation.json'), 'utf8')) as Evaluation;
    const wanted = before.heldOut.find(({ name }) => name === 'MKDT')!.errors;
    expect(evaluation.heldOut.map(({ name }) => name)).toEqual(['MKDT']);
    evaluation.heldOut[0]!.errors.forEach((error, seed) => {
      expect(error / wanted[seed]!).toBeCloseTo(1, 3);
    });
    for (const row of evaluation.rows) {
      const { accuracies } = before.rows.find(
        ({ name, labels }) => name === 'MKDT' && labels === row.labels,
      )!;
      // An image or two on the border may fall to the other side.
      row.accuracies.forEach((accuracy, seed) => {
        expect(Math.abs(accuracy - accuracies[seed]!)).toBeLessThanOrEqual(0.011);
      });
    }
  });

  it('writes the data card beside the files, with what the run measured', async () => {
    await hypergrad('export', run(), '--to', 'npz', 'png', '--out', out('both'));
    const card = await readFile(join(out('both'), 'README.md'), 'utf8');
    expect(card).toContain('np.load("synthetic.npz")');
    expect(card).toContain('| MKDT |');
    expect(existsSync(join(out('both'), 'images', '00000.png'))).toBe(true);
  });

  it('exports a snapshot, and says where there is none', async () => {
    await hypergrad('export', run(), '--snapshot', '2', '--out', out('snapshot'));
    const card = await readFile(join(out('snapshot'), 'README.md'), 'utf8');
    expect(card).toMatch(/2 of \d+ iterations/);
    const error = await refusal('export', run(), '--snapshot', '999', '--out', out('none'));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as Error).message).toContain(
      'has no snapshot after 999 iterations. It has those after 2, 4.',
    );
    expect(await refusal('export', run(), '--snapshot', 'last')).toBeInstanceOf(ConfigError);
  });

  it('replaces nothing that is there, unless it is told to', async () => {
    await hypergrad('export', run(), '--out', out('twice'));
    await writeFile(join(out('twice'), 'README.md'), 'mine');
    const error = await refusal('export', run(), '--out', out('twice'));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as Error).message).toContain('--force');
    expect(await readFile(join(out('twice'), 'README.md'), 'utf8')).toBe('mine');
    await hypergrad('export', run(), '--out', out('twice'), '--force');
    expect(await readFile(join(out('twice'), 'README.md'), 'utf8')).not.toBe('mine');
  });

  it('needs the data no more: the run keeps what its images were standardised by', async () => {
    const bytesOf = async (folder: string, name: string): Promise<Buffer> => {
      await hypergrad('export', folder, '--out', out(name));
      return await readFile(join(out(name), 'synthetic.safetensors'));
    };
    const alone = join(scratch, 'alone');
    await cp(run(), alone, { recursive: true });
    const config = parse(await readFile(join(alone, 'config.yaml'), 'utf8')) as Config;
    const data = { ...config.data, source: 'cifar10', folder: join(scratch, 'gone') };
    await writeFile(join(alone, 'config.yaml'), stringify({ ...config, data }));
    expect(await bytesOf(alone, 'without-data')).toEqual(await bytesOf(run(), 'with-data'));
  });

  it('trains an encoder in PyTorch by the example (skipped without a Python that has torch)', async ({
    skip,
  }) => {
    await hypergrad('export', run(), '--to', 'npz', '--out', out('python'));
    const outcome = await runPython([
      'examples/python/train_encoder.py',
      join(out('python'), 'synthetic.npz'),
      out('encoder.pt'),
    ]);
    if (outcome === null) return skip('no Python with torch and numpy was found (set HYPERGRAD_PYTHON)');
    const losses = [...outcome.matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
    expect(losses).toHaveLength(2);
    expect(losses[1]).toBeLessThan(losses[0]!);
    expect(existsSync(out('encoder.pt'))).toBe(true);
  });
});
