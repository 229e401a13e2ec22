import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { ImageOrigin } from '../../../src/pipeline/data/dataset.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import type { Progress } from '../../../src/pipeline/progress.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { files, readTensors } from '../../../src/pipeline/stages/context.js';
import { readGivenTargets } from '../../../src/pipeline/stages/givenTargets.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { encodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-given-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const DIMENSION = 3;
/** Representations whose every row tells its image's number: [number, −number, base]. */
const rowsOf = (count: number, base: number): Float32Array =>
  Float32Array.from({ length: count * DIMENSION }, (_, place) => {
    const number = Math.floor(place / DIMENSION);
    return [number, -number, base][place % DIMENSION]!;
  });

function npy(data: Float32Array, dimension = DIMENSION): Uint8Array {
  const shape = `(${data.length / dimension}, ${dimension})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }\n`;
  const start = [0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, text.length, 0];
  return Uint8Array.from([...start, ...new TextEncoder().encode(text), ...new Uint8Array(data.buffer)]);
}

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, bytes);
  return path;
}

const safetensors = (train: Float32Array, test?: Float32Array): Uint8Array =>
  encodeSafetensors(
    new Map(
      Object.entries({ train, ...(test === undefined ? {} : { test }) }).map(([name, data]) => [
        name,
        { dtype: 'F32' as const, shape: [data.length / DIMENSION, DIMENSION], data },
      ]),
    ),
  );

const origin = (part: ImageOrigin['part'], count: number, ...numbers: number[]) => ({
  origin: { part, count, numbers: Int32Array.from(numbers) },
});
const drawn = { name: 'mnist', train: origin('train', 5, 4, 0, 2), test: origin('test', 3, 2, 1) };
const heldOut = { name: 'folder', train: origin('train', 5, 4, 0, 2), test: origin('train', 5, 3, 1) };

const configOf = (from: string, representation = DIMENSION) =>
  resolveConfig({
    preset: 'tiny-test',
    sets: [`targets.from=${from}`, `teacher.representation=${representation}`],
  });

const numbersOf = (rows: Float32Array) => [...rows].filter((_, place) => place % DIMENSION === 0);

describe('given representations', () => {
  it('are brought into the order in which the run has drawn the images', async () => {
    const path = await written('given.safetensors', safetensors(rowsOf(5, 1), rowsOf(3, 2)));
    const { train, test, dimension } = await readGivenTargets(configOf(path), drawn);
    expect(dimension).toBe(3);
    expect(numbersOf(train)).toEqual([4, 0, 2]);
    expect([...test]).toEqual([2, -2, 2, 1, -1, 2]);
  });

  it('may be one .npy file, the training images first, or a list of two', async () => {
    const [a, b] = [rowsOf(5, 1), rowsOf(3, 2)];
    const both = await written('both.npy', npy(Float32Array.of(...a, ...b)));
    const pair = `[${await written('a.npy', npy(a))}, ${await written('b.npy', npy(b))}]`;
    const want = await readGivenTargets(
      configOf(await written('same.safetensors', safetensors(a, b))),
      drawn,
    );
    for (const from of [both, pair]) expect(await readGivenTargets(configOf(from), drawn)).toEqual(want);
  });

  it('of images that were held out lie among the training images', async () => {
    const path = await written('all.npy', npy(rowsOf(5, 1)));
    const { train, test } = await readGivenTargets(configOf(path), heldOut);
    expect(numbersOf(train)).toEqual([4, 0, 2]);
    expect(numbersOf(test)).toEqual([3, 1]);
    // A second file would not be read.
    await expect(readGivenTargets(configOf(`[${path}, ${path}]`), heldOut)).rejects.toThrow(
      /two files.* have no test images: give one file/,
    );
  });

  it('are refused where they do not fit the files, the configuration or each other', async () => {
    const refusal = async (
      from: string,
      message: RegExp,
      representation = DIMENSION,
      kind: unknown = DataError,
    ) => {
      const attempt = readGivenTargets(configOf(from, representation), drawn);
      await expect(attempt).rejects.toThrow(message);
      await expect(readGivenTargets(configOf(from, representation), drawn)).rejects.toBeInstanceOf(kind);
    };
    const good = await written('good.npy', npy(rowsOf(8, 1)));
    await refusal(
      good,
      /teacher\.representation = 4.*3 dimensions\. Set teacher\.representation=3/,
      4,
      ConfigError,
    );
    await refusal(await written('few.npy', npy(rowsOf(7, 1))), /7 rows.* 5 training and 3 test images/);
    await refusal(
      await written('few.safetensors', safetensors(rowsOf(4, 1), rowsOf(3, 1))),
      /tensor train holds 4 rows, but the files of mnist hold 5 training images/,
    );
    await refusal(await written('half.safetensors', safetensors(rowsOf(5, 1))), /no tensor 'test'/);
    const broken = rowsOf(8, 1);
    broken[4] = Number.NaN;
    await refusal(await written('broken.npy', npy(broken)), /row 1 holds NaN/);
    await refusal(join(scratch, 'nothing.npy'), /does not exist/);
    const wide = `[${await written('train.npy', npy(rowsOf(5, 1)))}, ${await written('wide.npy', npy(rowsOf(4, 1), 4))}]`;
    await refusal(wide, /wide\.npy has 4 dimensions, but .* have 3/);
    expect(() => configOf('targets.txt')).toThrow(/targets\.from = .*must be a \.safetensors or \.npy file/);
  });
});

describe('a run on given representations', () => {
  it('trains no teacher, regresses them, probes them as the teacher’s, and starts anew when they change', async () => {
    const [train, test] = [rowsOf(60_000, 1), rowsOf(10_000, 2)].map((rows) =>
      rows.map((value) => value / 6e4),
    );
    const from = await written('mnist.safetensors', safetensors(train!, test!));
    const sets = ['evaluate.seeds=1', 'distil.iterations=1', 'evaluate.rows=[randomEncoder, mkdt, teacher]'];
    const config = resolveConfig({
      preset: 'tiny-test',
      sets: [...sets, `targets.from=${from}`, `teacher.representation=${DIMENSION}`, 'teacher.batch=5000'],
    });
    const dataset = await loadDataset(config.data, config.seed);
    const run = async () => {
      const folder = await RunFolder.open(join(scratch, 'run'));
      const [ran, skipped]: [string[], string[]] = [[], []];
      const progress: Progress = {
        started: (stage) => ran.push(stage),
        advanced() {},
        finished() {},
        skipped: (stage) => skipped.push(stage),
      };
      const result = await runPipeline({
        ...{ config, dataset, folder, progress },
        device: await device(),
        command: 'test',
      });
      const targets = (await readTensors(folder, files.targets))('train').data as Float32Array;
      await folder.close();
      return { ran, skipped, result, targets };
    };
    const first = await run();
    expect([...first.ran, ...first.skipped]).not.toContain('teacher');
    expect(numbersOf(first.targets)).toEqual(
      [...dataset.train.origin.numbers].map((number) => Math.fround(number / 6e4)),
    );
    expect(first.result.rows.map(({ name }) => name)).toContain('teacher');

    expect((await run()).ran).toEqual([]);
    await written(
      'mnist.safetensors',
      safetensors(
        train!,
        test!.map((value) => value / 2),
      ),
    );
    expect((await run()).ran).toContain('targets');
    dataset.close();
  });
});
