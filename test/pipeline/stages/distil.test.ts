import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { takeRows } from '../../../src/pipeline/stages/context.js';
import { distil } from '../../../src/pipeline/stages/distil.js';
import { chooseSubset, trainExperts } from '../../../src/pipeline/stages/experts.js';
import { computeTargets } from '../../../src/pipeline/stages/targets.js';
import { trainTeacher } from '../../../src/pipeline/stages/teacher.js';
import type { RunEvent } from '../../../src/pipeline/store/events.js';
import type { NamedTensor } from '../../../src/pipeline/store/safetensors.js';
import { useDevice } from '../../support/device.js';
import { eventsOf, inTinyFolder, type TinyContext, tensorsOf } from '../../support/tinyStages.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-distil-'));
  await inTinyFolder(await device(), join(scratch, 'base'), [], async (context) => {
    for (const stage of [trainTeacher, computeTargets, trainExperts, chooseSubset]) await stage(context);
  });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Distilled {
  readonly data: (name: string) => NamedTensor['data'];
  readonly metadata: Record<string, string>;
  readonly events: RunEvent[];
  readonly written: string[];
  readonly path: string;
}

let folders = 0;

/** Distils with other settings from the same experts and subset. */
async function distilled(
  sets: string[],
  change: (context: TinyContext) => TinyContext = (context) => context,
): Promise<Distilled> {
  const path = join(scratch, String(folders++));
  await cp(join(scratch, 'base'), path, { recursive: true });
  return await inTinyFolder(await device(), path, sets, async (context) => {
    const written = await distil(change(context));
    const { tensors, metadata } = await tensorsOf(context, 'synthetic.safetensors');
    const events = await eventsOf(context, 'distil');
    return { data: (name) => tensors.get(name)!.data, metadata, events, written, path };
  });
}

/** All that distils, in one go: what other settings are held against. */
let plain: Promise<Distilled> | undefined;
const usual = (): Promise<Distilled> => {
  plain ??= distilled([]);
  return plain;
};

const still = (name: 'pixels' | 'targets' | 'innerStep') => `distil.${name}.learningRate=0`;

describe('what is learnt', () => {
  it('is pixels, targets and inner step where all have a learning rate', async () => {
    const { data, events } = await usual();
    expect(data('images')).not.toEqual(data('start.images'));
    expect(data('targets')).not.toEqual(data('start.targets'));
    expect(Object.keys(events[0]!)).toEqual(
      expect.arrayContaining([
        'loss',
        'innerStep',
        'expert',
        'startEpoch',
        'startEpochs',
        'pixelNorm',
        'targetNorm',
        'innerStepSlope',
      ]),
    );
  });

  it.each([
    ['pixels', 'images', 'pixelNorm'],
    ['targets', 'targets', 'targetNorm'],
  ] as const)(
    'leaves %s as they start without a learning rate, and takes no gradient by them',
    async (...names) => {
      const [setting, table, norm] = names;
      const { data, events } = await distilled([still(setting)]);
      expect(data(table)).toEqual(data(`start.${table}`));
      expect(events.every((event) => !(norm in event))).toBe(true);
      // The first iteration moves the others just as if all were learnt.
      const first = (await usual()).events;
      expect(events[0]!.loss).toBe(first[0]!.loss);
      expect(events[1]!.innerStep).toBe(first[1]!.innerStep);
    },
  );

  it('leaves the inner step as it starts without a learning rate', async () => {
    const { data, events } = await distilled([still('innerStep')]);
    expect(data('innerStep')).toEqual(Float32Array.of(0.1));
    expect(events.map((event) => event.innerStep)).toEqual(Array(4).fill(Math.fround(0.1)));
    expect(events.every((event) => !('innerStepSlope' in event))).toBe(true);
    expect(data('images')).not.toEqual(data('start.images'));
  });

  it('must be something', () => {
    const sets = [still('pixels'), still('targets'), still('innerStep')];
    expect(() => resolveConfig({ preset: 'tiny-test', sets, seed: 1 })).toThrow(/nothing would be learnt/);
  });

  it('descends by Adam where that is asked for: the first step is a learning rate long', async () => {
    const { data } = await distilled([
      'distil.iterations=1',
      'distil.pixels.optimiser=adam',
      'distil.pixels.learningRate=0.01',
      'distil.innerStep.optimiser=adam',
      'distil.innerStep.learningRate=0.02',
    ]);
    const moved = data('images').map((value, i) => value - data('start.images')[i]!);
    expect(Math.max(...moved.map(Math.abs))).toBeLessThan(0.0101);
    // Where the gradient is far above ε.
    expect(moved.filter((step) => Math.abs(Math.abs(step) - 0.01) < 1e-4).length).toBeGreaterThan(100);
    expect(data('innerStep')[0]).toBeCloseTo(0.12, 5);
  });

  it('moves no further than the largest norm allows', async () => {
    const { data, events } = await distilled([
      'distil.iterations=1',
      'distil.gradientClip=0.002',
      'distil.pixels.learningRate=10',
      'distil.targets.learningRate=10',
    ]);
    for (const [table, norm] of [
      ['images', 'pixelNorm'],
      ['targets', 'targetNorm'],
    ] as const) {
      const moved = data(table).map((value, i) => value - data(`start.${table}`)[i]!);
      expect(events[0]![norm]).toBeGreaterThan(0.002);
      expect(Math.hypot(...moved)).toBeCloseTo(0.02, 5);
    }
  });
});

describe('the start', () => {
  const few = ['distil.iterations=1'];

  it('is the high-loss subset unless another is named', async () => {
    const { data, path } = await usual();
    await inTinyFolder(await device(), path, [], async (context) => {
      const subset = await tensorsOf(context, 'subset.safetensors');
      const indices = subset.tensors.get('indices')!.data;
      expect(data('start.images')).toEqual(takeRows(context.dataset.train.images, 49, indices));
    });
  });

  it.each(['random', 'classBalanced'])('may be real images with their targets, %s ones', async (start) => {
    const { data, path } = await distilled([...few, `distil.start=${start}`]);
    await inTinyFolder(await device(), path, [], async (context) => {
      const { images, labels, count } = context.dataset.train;
      const targets = (await tensorsOf(context, 'targets.safetensors')).tensors.get('train')!.data;
      const row = (table: ArrayLike<number>, size: number, k: number): string =>
        Array.from({ length: size }, (_, i) => table[k * size + i]).join();
      const known = new Map(Array.from({ length: count }, (_, k) => [row(images, 49, k), k]));
      const chosen = Array.from({ length: 10 }, (_, k) => known.get(row(data('start.images'), 49, k))!);
      expect(new Set(chosen).size).toBe(10);
      chosen.forEach((image, k) => {
        expect(row(data('start.targets'), 8, k)).toBe(row(targets, 8, image));
      });
      if (start === 'classBalanced') expect(new Set(chosen.map((image) => labels![image])).size).toBe(10);
    });
    expect(data('start.images')).not.toEqual((await usual()).data('start.images'));
  });

  it('may be noise with the targets of images drawn at random', async () => {
    const noise = await distilled([...few, 'distil.start=noise']);
    const pixels = noise.data('start.images') as Float32Array;
    const mean = pixels.reduce((total, value) => total + value, 0) / pixels.length;
    const variance = pixels.reduce((total, value) => total + (value - mean) ** 2, 0) / pixels.length;
    // 490 standard normal numbers: five standard errors.
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(490));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 490));
    const random = await distilled([...few, 'distil.start=random']);
    expect(noise.data('start.targets')).toEqual(random.data('start.targets'));
  });

  it('cannot be balanced without labels', async () => {
    const unlabelled = (context: TinyContext): TinyContext => {
      const train = { ...context.dataset.train, labels: null };
      return { ...context, dataset: { ...context.dataset, train } };
    };
    await expect(distilled([...few, 'distil.start=classBalanced'], unlabelled)).rejects.toThrow(ConfigError);
    await expect(distilled([...few, 'distil.start=random'], unlabelled)).resolves.toBeDefined();
  });
});

describe('the way back', () => {
  it.each([
    ['full', []],
    ['mixed', ['distil.memoryBudget=64']],
  ] as const)('gives nearly the same with memory = %s', async (memory, more) => {
    const { data, events } = await distilled([`distil.memory=${memory}`, ...more]);
    const wanted = await usual();
    expect(events[0]!.loss).toBe(wanted.events[0]!.loss);
    const difference = data('images').map((value, i) => value - wanted.data('images')[i]!);
    const moved = data('images').map((value, i) => value - data('start.images')[i]!);
    expect(Math.hypot(...difference)).toBeLessThan(1e-3 * Math.hypot(...moved));
  });

  it('does not begin with a memory budget that is too small, and names the field', async () => {
    const sets = ['distil.memory=mixed', 'distil.memoryBudget=0.001'];
    await expect(distilled(sets)).rejects.toThrow(
      /distil.memoryBudget = 0.001 MiB does not do: .* too small/,
    );
  });

  it('goes through the last steps only where it is truncated', async () => {
    const { events } = await distilled(['distil.truncate=1']);
    const wanted = (await usual()).events;
    expect(events[0]!.loss).toBe(wanted[0]!.loss);
    expect(events[0]!.pixelNorm).not.toBe(wanted[0]!.pixelNorm);
    expect(events[0]!.pixelNorm).toBeGreaterThan(0);
  });

  it('has no more steps than there are', () => {
    const sets = ['distil.truncate=3'];
    expect(() => resolveConfig({ preset: 'tiny-test', sets, seed: 1 })).toThrow(/distil.truncate = 3/);
  });
});

describe('the start epochs', () => {
  it('grow while the distillation runs', async () => {
    const sets = ['distil.startEpochs=3', 'distil.startEpochsFrom=1', 'distil.startEpochsOver=2'];
    const { events } = await distilled(sets);
    expect(events.map((event) => event.startEpochs)).toEqual([1, 2, 3, 3]);
    expect(events[0]!.startEpoch).toBe(0);
  });

  it('must not begin above where they end', () => {
    const sets = ['distil.startEpochsFrom=3'];
    expect(() => resolveConfig({ preset: 'tiny-test', sets, seed: 1 })).toThrow(/distil.startEpochsFrom = 3/);
  });
});

describe('snapshots', () => {
  it('hold the set as it was after so many iterations, with a picture, and none of another run', async () => {
    const { written, path } = await distilled(['distil.snapshots=2']);
    const names = [2, 4].flatMap((n) => ['png', 'safetensors'].map((end) => `synthetic-00000${n}.${end}`));
    expect((await readdir(join(path, 'snapshots'))).sort()).toEqual(names);
    expect(written).toEqual(expect.arrayContaining(names.map((name) => `snapshots/${name}`)));
    const shorter = await distilled(['distil.iterations=2']);
    await inTinyFolder(
      await device(),
      path,
      ['distil.iterations=1', 'distil.snapshots=1'],
      async (context) => {
        const { tensors, metadata } = await tensorsOf(context, 'snapshots/synthetic-000002.safetensors');
        for (const name of ['images', 'targets', 'innerStep']) {
          expect(tensors.get(name)!.data).toEqual(shorter.data(name));
        }
        expect(metadata).toEqual({ version: '1', iterations: '2' });
        await distil(context);
        expect((await readdir(join(path, 'snapshots'))).sort()).toEqual([
          'synthetic-000001.png',
          'synthetic-000001.safetensors',
        ]);
      },
    );
  });
});

describe('the set that is kept', () => {
  it('is the last one unless the best is asked for, and no loss depends on that', async () => {
    const best = await distilled(['distil.keep=best']);
    const last = await usual();
    expect(last.metadata).toEqual({ version: '1' });
    expect(best.events.map((event) => event.loss)).toEqual(last.events.map((event) => event.loss));
  });

  it('is the one before the update of the iteration whose smoothed loss is the smallest', async () => {
    // Driven so fast that the loss rises and falls.
    const fast = ['distil.iterations=6', 'distil.pixels.learningRate=100000'];
    const { data, metadata, events } = await distilled([...fast, 'distil.keep=best']);
    const losses = events.map((event) => event.loss as number);
    const smoothed = losses.map((_, i) => (losses[i - 2]! + losses[i - 1]! + losses[i]!) / 3);
    const least = Math.min(...smoothed.slice(2));
    const iteration = smoothed.indexOf(least);
    expect(Number(metadata.iteration)).toBe(iteration);
    expect(Number(metadata.smoothedLoss)).toBeCloseTo(least, 6);
    expect(metadata.keep).toBe('best');
    expect(events.map((event) => event.isBest)).toEqual(
      losses.map((_, i) =>
        i < 2 ? undefined : smoothed[i]! < Math.min(...smoothed.slice(2, i), Number.POSITIVE_INFINITY),
      ),
    );
    // A run that ends just before that update has the same set as its last.
    const ended = await distilled([...fast, `distil.iterations=${iteration}`]);
    for (const name of ['images', 'targets', 'innerStep']) expect(data(name)).toEqual(ended.data(name));
  });
});
