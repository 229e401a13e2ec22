import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError, ShapeError, StoreError } from '../../../src/errors.js';
import { decodeEvaluation } from '../../../src/pipeline/evaluate/record.js';
import { floatTensor } from '../../../src/pipeline/stages/context.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from '../../../src/pipeline/store/safetensors.js';
import { refusal, said } from '../../support/command.js';
import { numbers } from '../../support/compare.js';

let scratch = '';
const run = () => join(scratch, 'run');

/** What the latest command that ended well has said. */
let text = '';
async function hypergrad(...args: string[]): Promise<void> {
  text = await said(...args);
}
const printed = (): string => text;
const lines = (): string[] => printed().split('\n');

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-evaluate-'));
  await hypergrad('run', '--preset', 'tiny-test', '--out', run());
});
afterAll(() => rm(scratch, { recursive: true }));

const own = async () => decodeEvaluation(await readFile(join(run(), 'evaluation.json'), 'utf8'), '');

async function setFile(name: string, tensors: Record<string, NamedTensor>): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, encodeSafetensors(new Map(Object.entries(tensors))));
  return path;
}

async function tensorsOfRun(): Promise<(name: string) => NamedTensor> {
  const { tensors } = decodeSafetensors(await readFile(join(run(), 'synthetic.safetensors')), '');
  return (name) => tensors.get(name)!;
}

describe('hypergrad evaluate of a run', () => {
  it('gives what the run measured, to the bit, and writes it beside', async () => {
    const before = await readFile(join(run(), 'evaluation.json'), 'utf8');
    await hypergrad('evaluate', run());
    const [written] = readdirSync(run()).filter((name) => /^evaluation-mnist-[0-9a-f]{8}\.json$/.test(name));
    const text = await readFile(join(run(), written!), 'utf8');
    expect(decodeEvaluation(text, '')).toEqual(await own());
    expect(JSON.parse(text).settings).toMatchObject({ seed: 1, evaluate: { seeds: 2 } });
    expect(await readFile(join(run(), 'evaluation.json'), 'utf8')).toBe(before);
    expect(printed()).toContain(
      'Test accuracy of a linear probe in %, mean ± standard deviation over 2 seeds:',
    );
    expect(printed()).toContain('Mean squared error to the teacher on the test images (equation 3):');
    expect(printed()).toContain(`Written: ${join(run(), written!)}`);
    await rm(join(run(), written!));
  });

  it('takes other settings, and another student than the set was made for', async () => {
    const rows = 'evaluate.rows=[mkdt, randomEncoder]';
    const sets = [rows, 'evaluate.seeds=1', 'evaluate.transfer=[{architecture: mlp, depth: 1, width: 4}]'];
    await hypergrad('evaluate', run(), '--json', ...sets.flatMap((set) => ['--set', set]));
    const result = JSON.parse(printed());
    expect(result.rows.map((row: { name: string; seeds: number }) => [row.name, row.seeds])).toEqual([
      ['MKDT', 1],
      ['MKDT', 1],
      ['random encoder', 1],
      ['random encoder', 1],
    ]);
    expect(result.transfer).toMatchObject([{ student: 'MLP, 1 layer of 4' }]);
    const mkdt = (await own()).rows.find(({ name }) => name === 'MKDT')!;
    expect(result.evaluation.rows[0].accuracies).toEqual(mkdt.accuracies.slice(0, 1));
  });

  it('evaluates on other images what was made from its own', async () => {
    await hypergrad('evaluate', run(), '--json', '--set', 'data.test=100', '--set', 'evaluate.seeds=1');
    const { evaluation, leftOut } = JSON.parse(printed());
    const same = await own();
    // All 200 training images are those of the run: what students learn and what probes see of them is the same.
    const errors = (name: string, { heldOut }: typeof same) =>
      heldOut.find((row) => row.name === name)!.errors[0]!;
    for (const name of ['high-loss subset', 'MKDT', 'all data']) {
      expect(errors(name, evaluation)).not.toBe(errors(name, same));
      expect(Math.abs(errors(name, evaluation) / errors(name, same) - 1)).toBeLessThan(0.1);
    }
    expect(leftOut).toEqual([]);
  });

  it('leaves out the baseline on the self-supervised loss where the run has none', async () => {
    const rows = 'evaluate.rows=[randomEncoder, trajectoryMatchingOnSsl]';
    const sets = [rows, 'evaluate.seeds=1', 'selfSupervised.batch=5'];
    await hypergrad('evaluate', run(), ...sets.flatMap((set) => ['--set', set]));
    expect(printed()).toMatch(/\nLeft out trajectoryMatchingOnSsl: .* whose evaluate\.rows named it\.\n/);
  });

  it('refuses images of another shape', async () => {
    const error = await refusal('evaluate', run(), '--set', 'data.pool=2');
    expect(error).toBeInstanceOf(ShapeError);
    expect((error as Error).message).toMatch(
      /are 1×7×7 \(channels × height × width\), but those of mnist are 1×14×14 with data\.pool = 2\. Name data/,
    );
  });
});

describe('hypergrad evaluate of a file', () => {
  it('is the run’s row where the set and the teacher are the run’s, subsets aside that only a run knows', async () => {
    const tensor = await tensorsOfRun();
    const set = { images: tensor('images'), targets: tensor('targets'), innerStep: tensor('innerStep') };
    const path = await setFile('copy.safetensors', set);
    await hypergrad('evaluate', path, '--teacher', run(), '--json');
    const { evaluation, leftOut } = JSON.parse(printed());
    const without = (await own()).rows.filter(({ name }) => name !== 'high-loss subset');
    expect(evaluation.rows).toEqual(without);
    expect(leftOut).toMatchObject([{ row: 'highLossSubset', reason: expect.stringContaining('no experts') }]);
    expect(readdirSync(scratch).sort()).toEqual(['copy.safetensors', 'run']);
  });

  it('without targets gets them from the teacher: real images get the run’s own', async () => {
    const tensor = await tensorsOfRun();
    const bare = await setFile('bare.safetensors', { images: tensor('start.images') });
    const args = ['--teacher', run(), '--set', 'evaluate.rows=[mkdt]', '--json'];
    await hypergrad('evaluate', bare, ...args);
    const { evaluation } = JSON.parse(printed());
    // Trained at the rate of the subsets, it is the high-loss subset.
    const highLoss = (await own()).rows.filter(({ name }) => name === 'high-loss subset');
    expect(evaluation.rows).toEqual(highLoss.map((row) => ({ ...row, name: 'MKDT' })));
  });

  it('without any teacher is held against a random encoder, and says what is missing', async () => {
    const tensor = await tensorsOfRun();
    const path = await setFile('alone.safetensors', { images: tensor('images'), targets: tensor('targets') });
    await hypergrad('evaluate', path, '--preset', 'tiny-test', '--set', 'evaluate.seeds=1');
    expect(lines().filter((line) => /^(random encoder|MKDT) /.test(line))).toHaveLength(2);
    expect(printed()).toContain('There is no teacher to measure a distance to.');
    expect(lines().filter((line) => line.startsWith('Left out '))).toHaveLength(4);
    expect(printed()).toMatch(/Left out allData: there is no teacher .* --teacher RUN\./);
  });

  it.each<[string, new (message: string) => Error, RegExp, () => Promise<string[]>]>([
    ['a path that leads nowhere', ConfigError, /nowhere does not exist/, async () => ['nowhere']],
    [
      'a folder that is none of a run',
      StoreError,
      /config\.yaml does not exist: .* is not the folder of a finished run/,
      async () => [scratch],
    ],
    [
      'a teacher for a run',
      ConfigError,
      /--teacher is for sets from files/,
      async () => [run(), '--teacher', run()],
    ],
    [
      'no targets and no teacher',
      ConfigError,
      /holds no targets\. Name the run .* --teacher RUN/,
      async () => [
        await setFile('a.safetensors', { images: floatTensor(numbers(1, 'x', 2 * 49), 2, 1, 7, 7) }),
        '--preset',
        'tiny-test',
      ],
    ],
    [
      'targets of another length than the teacher’s',
      ShapeError,
      /have 3 dimensions, but the teacher's representations have 8/,
      async () => [
        await setFile('b.safetensors', {
          images: floatTensor(numbers(1, 'x', 2 * 49), 2, 1, 7, 7),
          targets: floatTensor(numbers(1, 'y', 6), 2, 3),
        }),
        '--teacher',
        run(),
      ],
    ],
    [
      'images that the teacher cannot see',
      ShapeError,
      /teacher\.safetensors: .* a teacher of images of 1×14×14 has/,
      async () => [
        await setFile('c.safetensors', { images: floatTensor(numbers(1, 'x', 2 * 196), 2, 1, 14, 14) }),
        '--teacher',
        run(),
        '--set',
        'data.pool=2',
      ],
    ],
    [
      'a file of another kind',
      DataError,
      /result\.json/,
      async () => [join(run(), 'result.json'), '--preset', 'tiny-test'],
    ],
  ])('refuses %s in words', async (_, kind, message, args) => {
    const error = await refusal('evaluate', ...(await args()));
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(message);
    expect(existsSync(join(scratch, 'manifest.json'))).toBe(false);
  });
});
