import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describePreset, resolveConfig } from '../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { estimateRun } from '../../src/pipeline/estimate/estimate.js';
import { describeEstimate } from '../../src/pipeline/estimate/text.js';
import { silentProgress } from '../../src/pipeline/progress.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { useDevice } from '../support/device.js';
import { idx, jpeg, writeFiles } from '../support/imageFiles.js';

const device = useDevice();
let scratch = '';

const TRAIN = 24;
const TEST = 8;

/** Images in which nothing is constant, a label each, before the pixels as the binary files have it. */
const records = (count: number, labelBytes: number): Uint8Array =>
  Buffer.concat(
    Array.from({ length: count }, (_, image) =>
      Uint8Array.from({ length: labelBytes + 3072 }, (_, at) =>
        at < labelBytes ? image % 4 : (at * at * 31 + at * 7 * image + image) % 256,
      ),
    ),
  );

const classNames = (count: number): string =>
  Array.from({ length: count }, (_, label) => `class ${label}\n`).join('');

/** Each dataset as its makers publish it, with a few images. */
const layouts: Readonly<Record<string, () => Promise<Record<string, Uint8Array | string>>>> = {
  cifar10: async () => ({
    'batches.meta.txt': classNames(10),
    ...Object.fromEntries(
      [1, 2, 3, 4, 5].map((batch) => [`data_batch_${batch}.bin`, records(batch === 1 ? TRAIN : 1, 1)]),
    ),
    'test_batch.bin': records(TEST, 1),
  }),
  cifar100: async () => ({
    'fine_label_names.txt': classNames(100),
    'train.bin': records(TRAIN, 2),
    'test.bin': records(TEST, 2),
  }),
  tiny: async () => {
    const picture = (noise: number) => jpeg({ width: 64, height: 64, noise });
    const classes = ['n01', 'n02', 'n03', 'n04'];
    const train = await Promise.all(
      Array.from({ length: TRAIN }, async (_, k) => {
        const name = classes[k % classes.length]!;
        return [`train/${name}/images/${name}_${k}.JPEG`, await picture(k)] as const;
      }),
    );
    const val = await Promise.all(
      Array.from(
        { length: TEST },
        async (_, k) => [`val/images/val_${k}.JPEG`, await picture(100 + k)] as const,
      ),
    );
    return {
      'wnids.txt': classes.map((name) => `${name}\n`).join(''),
      'words.txt': classes.map((name) => `${name}\tthing ${name}\n`).join(''),
      'val/val_annotations.txt': val
        .map((_, k) => `val_${k}.JPEG\t${classes[k % classes.length]}\t0\t0\t9\t9\n`)
        .join(''),
      ...Object.fromEntries([...train, ...val]),
    };
  },
  fashion: async () => {
    const images = (count: number) =>
      idx(
        [count, 28, 28],
        Uint8Array.from({ length: count * 784 }, (_, at) => (at * at * 31 + at * 7) % 256),
      );
    const labels = (count: number) =>
      idx(
        [count],
        Uint8Array.from({ length: count }, (_, image) => image % 4),
      );
    return {
      'train-images-idx3-ubyte': images(TRAIN),
      'train-labels-idx1-ubyte': labels(TRAIN),
      't10k-images-idx3-ubyte': images(TEST),
      't10k-labels-idx1-ubyte': labels(TEST),
    };
  },
};

/** The same small sizes for all, so that all run the same kernels: images of 8×8, a few of everything. */
const cut = (pool: number): string[] => [
  `data.train=${TRAIN}`,
  `data.test=${TEST}`,
  `data.pool=${pool}`,
  'teacher.width=2',
  'teacher.representation=16',
  'teacher.projector=8',
  'teacher.steps=2',
  'teacher.warmUp=1',
  'teacher.batch=8',
  'student.depth=2',
  'student.width=4',
  'experts.count=2',
  'experts.epochs=6',
  'experts.batch=12',
  'subset.fraction=0.25',
  'distil.iterations=2',
  'distil.steps=2',
  'distil.batch=3',
  'evaluate.epochs=1',
  'evaluate.batch=3',
  'evaluate.allData.epochs=1',
  'evaluate.allData.batch=12',
  'evaluate.labels=[0.25, 0.5]',
  'evaluate.seeds=1',
];

const paper = ['cifar10', 'cifar100', 'tiny'].flatMap((source) =>
  (['2pct', '5pct'] as const).map((share) => ({ preset: `mkdt-${source}-${share}`, source, share })),
);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-presets-'));
  for (const [name, layout] of Object.entries(layouts)) await writeFiles(join(scratch, name), await layout());
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function estimate(preset: string, source: string, sets: string[]): Promise<void> {
  const config = resolveConfig({ preset, dataFolder: join(scratch, source), sets });
  const dataset = await loadDataset(config.data, config.seed);
  const found = await estimateRun(await device(), config, dataset, { budget: 1 });
  expect(describeEstimate(found)).not.toMatch(/NaN|undefined|does not fit/);
  expect(found.seconds).toBeGreaterThan(0);
}

async function run(preset: string, source: string, sets: string[]): Promise<string> {
  const config = resolveConfig({ preset, dataFolder: join(scratch, source), sets });
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(join(scratch, `run-${preset}`));
  try {
    await runPipeline({
      config,
      dataset,
      folder,
      device: await device(),
      command: 'test',
      progress: silentProgress,
    });
  } finally {
    await folder.close();
  }
  return folder.path;
}

describe("the presets with the paper's settings", () => {
  it.each(paper)('$preset holds the settings of the paper', ({ preset, source, share }) => {
    const { teacher, student, experts, subset, distil, evaluate, data } = resolveConfig({ preset, sets: [] });
    const isTiny = source === 'tiny';
    expect(data).toMatchObject({ train: null, test: null, pool: 1 });
    expect(teacher).toMatchObject({
      architecture: 'resNet18',
      width: 64,
      representation: 512,
      method: 'barlowTwins',
    });
    expect(student).toEqual({ depth: isTiny ? 4 : 3, width: 128 });
    expect(experts).toMatchObject({
      count: 100,
      epochs: 20,
      batch: 256,
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 1e-4,
    });
    expect(subset.fraction).toBe(share === '2pct' ? 0.02 : 0.05);
    expect(distil).toMatchObject({
      start: 'highLoss',
      iterations: isTiny ? 10_000 : 5000,
      steps: isTiny ? 10 : 40,
      expertEpochs: 2,
      startEpochs: share === '2pct' ? 2 : 5,
      batch: 256,
      momentum: 0.5,
      pixels: { optimiser: 'sgd', learningRate: isTiny ? 1e5 : share === '2pct' ? 1e3 : 1e4 },
      targets: { optimiser: 'sgd', learningRate: 1 },
      innerStep: { initial: 0.1, optimiser: 'sgd', learningRate: 1e-4 },
    });
    expect(evaluate).toMatchObject({
      epochs: 20,
      batch: 256,
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 1e-4,
      labels: [0.01, 0.05],
      probe: { regularisation: 1e-3 },
    });
    expect(describePreset(preset)).toMatch(/paper's settings/);
  });

  // Those of one dataset differ in a few numbers, all of them cut: one estimate stands for both.
  it.each(paper.filter(({ share }) => share === '2pct'))(
    '$preset, cut down, estimates itself',
    async ({ preset, source }) => estimate(preset, source, cut(source === 'tiny' ? 8 : 4)),
  );

  it.each(paper)('$preset, cut down, runs from end to end', async ({ preset, source }) => {
    const path = await run(preset, source, cut(source === 'tiny' ? 8 : 4));
    const { rows } = JSON.parse(await readFile(join(path, 'result.json'), 'utf8'));
    // Six rows, two shares of labels.
    expect(rows).toHaveLength(12);
  });
});

it('fashion-small, cut down, estimates itself and runs from end to end on IDX files', async () => {
  const sets = cut(4).filter((set) => !/teacher\.(width|representation)/.test(set));
  const smaller = [...sets, 'teacher.width=4', 'teacher.representation=16', 'distil.expertEpochs=1'];
  await estimate('fashion-small', 'fashion', smaller);
  const path = await run('fashion-small', 'fashion', smaller);
  expect(await readFile(join(path, 'report.html'), 'utf8')).toContain('<html');
});
