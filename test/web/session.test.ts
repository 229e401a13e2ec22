/** What the page's worker does when its device, or its network, fails: under Node, on random digits, targets and experts. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { DeviceError } from '../../src/errors.js';
import { normal } from '../../src/kernels/philox.js';
import type { Dataset } from '../../src/pipeline/data/dataset.js';
import { studentModel } from '../../src/pipeline/stages/context.js';
import { usualSettings } from '../../web/choices.js';
import type { Happening } from '../../web/protocol.js';
import { configOf } from '../../web/settings.js';
import { type Keeper, type SeedWork, versionedKey, versionOf } from '../../web/worker/keeper.js';
import type { Material } from '../../web/worker/prepare.js';
import { Session } from '../../web/worker/session.js';
import { imageSetOf } from '../support/imageSet.js';
import { type LosableDevice, openLosable } from '../support/losableDevice.js';

const ITERATIONS = 5;
/** Of so many digits, the share that stands for 50 of the page's is 20. */
const COUNT = 400;
const SETTINGS = { ...usualSettings, images: 50, steps: 2, expertEpochs: 1, iterations: ITERATIONS };
const PIXELS = 14 * 14;
const OTHER = 'another device';

const digits = (purpose: string, count: number) =>
  imageSetOf(
    normal({ seed: 1, purpose, index: 0 }, count * PIXELS),
    Int32Array.from({ length: count }, (_, k) => k % 10),
    count,
  );

async function materialOf(): Promise<Material> {
  const dataset: Dataset = {
    name: 'random',
    image: [1, 14, 14],
    classes: [...'0123456789'],
    train: digits('train', COUNT),
    test: digits('test', 20),
    mean: [0],
    deviation: [1],
    close: () => undefined,
  };
  return { dataset, teacher: new Uint8Array(await readFile('web/recorded/teacher.safetensors')) };
}

/** What a seed decides, had it been trained on these devices: random numbers in its place. */
function trainedOn({ dataset }: Material, version: string, devices: readonly string[]): Map<string, unknown> {
  const config = configOf(SETTINGS);
  const { parameters, outputCount } = studentModel({ config, dataset });
  const drawn = (purpose: string, count: number) => normal({ seed: 2, purpose, index: 0 }, count);
  const thetas = (config.experts.epochs + 1) * parameters.total;
  const work: SeedWork = {
    seed: SETTINGS.seed,
    trained: {
      targets: {
        train: drawn('targets', COUNT * outputCount),
        test: drawn('test targets', 20 * outputCount),
      },
      experts: ['one', 'other'].map((name) => drawn(name, thetas)),
      hardest: Int32Array.from({ length: COUNT }, (_, digit) => digit),
    },
  };
  return new Map(devices.map((device) => [`trained ${versionedKey(version, device)}`, work]));
}

/** A keeper, and what it keeps. */
function keeperOf(kept: Map<string, unknown>): Keeper {
  return {
    load: async <Value>(key: string) => kept.get(key) as Value | undefined,
    save: async (key, value) => void kept.set(key, value),
    remove: async (key) => void kept.delete(key),
  };
}

describe('a session', () => {
  let material: Material;
  let version: string;
  let first: LosableDevice;
  /** What the first session keeps. */
  let kept: Map<string, unknown>;
  /** The set of a session that nothing happened to. */
  let whole: Uint8Array;

  beforeAll(async () => {
    material = await materialOf();
    version = await versionOf(material);
    first = await openLosable();
    kept = trainedOn(material, version, [first.device.adapter.name, OTHER]);
  });

  it('asks again for what did not come, and then distils', async () => {
    const answers = [
      async (): Promise<Material> => {
        throw new Error('the network is down');
      },
      async () => material,
    ];
    const session = new Session({
      open: async () => first.device,
      load: () => answers.shift()!(),
      keeper: keeperOf(kept),
      tell: () => undefined,
    });
    await expect(session.begin(SETTINGS)).rejects.toThrow('the network is down');
    await session.begin(SETTINGS);
    expect(await session.run()).toBe(ITERATIONS);
    whole = await session.download();
  });

  it('comes to the same bits where devices are lost or do not open, and to none of another device’s', async () => {
    const opened: LosableDevice[] = [];
    const told: Happening[] = [];
    const count = (kind: Happening['kind']): number => told.filter((each) => each.kind === kind).length;
    const last = (kind: Happening['kind']) => told.findLast((each) => each.kind === kind);
    let isAbsent = false;
    const session = new Session({
      async open() {
        if (isAbsent) throw new DeviceError('no device opens');
        const losable = opened.length === 0 ? first : await openLosable();
        const { device } = losable;
        const number = opened.push(losable);
        // The second one is lost while the distillation is brought back on it, the last one is of another kind.
        if (number === 2) losable.loseAt({ at: 'compile', number: 1 });
        if (number === 4)
          Object.defineProperty(device, 'adapter', { value: { ...device.adapter, name: OTHER } });
        return device;
      },
      load: async () => material,
      keeper: keeperOf(new Map([...kept].filter(([key]) => key.startsWith('trained')))),
      tell: (happening) => told.push(happening),
    });
    await session.begin(SETTINGS);
    await session.step();
    await session.loseDevice();
    isAbsent = true;
    await expect(session.step()).rejects.toThrow('no device opens');
    isAbsent = false;
    expect(await session.step()).toBe(2);
    expect([opened.length, count('reopened'), count('restored')]).toEqual([3, 2, 1]);
    expect(last('reopened')).toMatchObject({ isAnother: false });
    expect(last('restored')).toMatchObject({ state: { records: [{ iteration: 0 }] } });
    expect(await session.run()).toBe(ITERATIONS);
    expect(Buffer.compare(await session.download(), whole)).toBe(0);

    await session.loseDevice();
    // Two who read at once do not each open a device.
    await Promise.all([session.download(), session.picture()]);
    expect([opened.length, count('reopened'), count('restored')]).toEqual([4, 3, 2]);
    expect(last('reopened')).toMatchObject({ isAnother: true });
    expect(last('restored')).toMatchObject({ state: { records: [] } });
    for (const { device } of opened) device.close();
  });

  it('goes on with what was kept, but not with what other digits or another teacher made', async () => {
    expect(await versionOf(await materialOf())).toBe(version);
    expect(await versionOf({ ...material, teacher: material.teacher.slice(1) })).not.toBe(version);
    const dataset = { ...material.dataset, train: digits('others', COUNT) };
    expect(await versionOf({ ...material, dataset })).not.toBe(version);
    expect([...kept.keys()].filter((key) => key.includes(version))).toHaveLength(3);
  });
});
