import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../../src/cli/program.js';
import { ConfigError, StoreError } from '../../../src/errors.js';
import { decodeSet } from '../../../src/pipeline/evaluate/givenSet.js';
import { decodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { runPython } from '../../support/python.js';

let scratch = '';
const run = () => join(scratch, 'run');
const out = (name: string) => join(scratch, name);

async function hypergrad(...args: string[]): Promise<void> {
  await createProgram().parseAsync(args, { from: 'user' });
}
const failure = (...args: string[]): Promise<unknown> =>
  hypergrad(...args).then(
    () => undefined,
    (error: unknown) => error,
  );

function silence(): void {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
}
beforeAll(async () => {
  silence();
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-export-'));
  await hypergrad('run', '--preset', 'tiny-test', '--set', 'distil.snapshots=2', '--out', run());
  vi.restoreAllMocks();
});
afterAll(() => rm(scratch, { recursive: true }));
beforeEach(silence);
afterEach(() => {
  vi.restoreAllMocks();
});

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
    await hypergrad(...['evaluate', join(out('set'), 'synthetic.safetensors'), '--teacher', run()]);
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
    const error = await failure('export', run(), '--snapshot', '999', '--out', out('none'));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as Error).message).toContain(
      'has no snapshot after 999 iterations. It has those after 2, 4.',
    );
    expect(await failure('export', run(), '--snapshot', 'last')).toBeInstanceOf(ConfigError);
  });

  it('replaces nothing that is there, unless it is told to', async () => {
    await hypergrad('export', run(), '--out', out('twice'));
    await writeFile(join(out('twice'), 'README.md'), 'mine');
    const error = await failure('export', run(), '--out', out('twice'));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as Error).message).toContain('--force');
    expect(await readFile(join(out('twice'), 'README.md'), 'utf8')).toBe('mine');
    await hypergrad('export', run(), '--out', out('twice'), '--force');
    expect(await readFile(join(out('twice'), 'README.md'), 'utf8')).not.toBe('mine');
  });

  it('needs the data no more: the run keeps what its images were standardised by', async () => {
    const kept = JSON.parse(await readFile(join(run(), 'standardisation.json'), 'utf8')) as unknown;
    expect(kept).toMatchObject({ version: 1, mean: [expect.any(Number)], deviation: [expect.any(Number)] });
  });

  it('trains an encoder in PyTorch by the example', async ({ skip }) => {
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
