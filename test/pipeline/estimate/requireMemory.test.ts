import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { DeviceError, StoreError } from '../../../src/errors.js';
import { countingDevice } from '../../../src/gpu/countingDevice.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { rehearse } from '../../../src/pipeline/estimate/rehearse.js';
import { requireMemory } from '../../../src/pipeline/estimate/requireMemory.js';
import { roughBound } from '../../../src/pipeline/estimate/roughBound.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();
const rows = 'evaluate.rows=[randomEncoder, mkdt, trajectoryMatchingOnSsl, allData]';

const rehearsals = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('hypergrad-rehearsal-')).sort();

const configOf = (...sets: string[]) => resolveConfig({ preset: 'tiny-test', sets, seed: 1 });

/** What a run is refused with on a device and a machine. */
async function refusal(
  sets: string[],
  { largest, host = 2 ** 40 }: { readonly largest?: number; readonly host?: number },
): Promise<string> {
  const config = configOf(...sets);
  const dataset = await loadDataset(config.data, config.seed);
  const opened = await device();
  const limited = largest === undefined ? {} : { maxStorageBufferBindingSize: largest };
  const { device: counting } = await countingDevice(opened, limited);
  const error = await requireMemory({ device: counting, config, dataset }, { host }).then(
    () => new Error('it fits'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeviceError);
  return (error as DeviceError).message;
}

/** Whether a run is let through with what its refusal named. */
async function fits(sets: string[], host: number): Promise<void> {
  const config = configOf(...sets);
  const dataset = await loadDataset(config.data, config.seed);
  await requireMemory({ device: await device(), config, dataset }, { host });
}

describe('the rough bound', () => {
  it.each([
    [[rows]],
    [['distil.memory=full', 'distil.steps=9']],
    [['teacher.architecture=resNet18', 'teacher.width=4', 'teacher.representation=32']],
    [['student.depth=2', 'student.width=12', 'experts.batch=200', 'teacher.projector=64']],
    [
      [
        'evaluate.transfer=[{ architecture: mlp, depth: 2, width: 32 }, { architecture: resNet18, width: 4 }]',
      ],
    ],
  ])('is above what is counted, with %s', async (sets) => {
    const config = configOf(...sets);
    const dataset = await loadDataset(config.data, config.seed);
    const space = await rehearse(await device(), config, dataset, 0);
    const most = Math.max(...space.map(({ deviceBytes }) => deviceBytes!));
    expect(roughBound(config, dataset)).toBeGreaterThan(most);
  });
});

describe('a run that cannot fit', () => {
  it('is told before its first stage what does not fit, both numbers, and the setting with which it does', async () => {
    // The largest tensor is one of 200 images in pre-training on all data: half of it does not fit.
    const sets = ['evaluate.allData.batch=200', 'student.width=64'];
    const message = await refusal(sets, { largest: 200 * 64 * 49 * 2 });
    expect(message).toMatch(/^The stage evaluate does not fit/);
    expect(message).toMatch(/largest storage buffer is 1\.2 MiB/);
    expect(message).toContain('It fits with --set evaluate.allData.batch=100, as a rehearsal shows.');
    expect(message).toMatch(/Nothing was computed\.$/);
  });

  it('is told where all of it together is more than the machine has, and fits with what it is told', async () => {
    const sets = [
      'distil.storage=float16',
      'distil.memory=full',
      'distil.steps=60',
      'distil.batch=20',
      'subset.fraction=0.1',
      'student.width=16',
    ];
    const config = configOf(...sets);
    const dataset = await loadDataset(config.data, config.seed);
    const space = await rehearse(await device(), config, dataset, 0);
    const peak = space.find(({ stage }) => stage === 'distil')!.deviceBytes!;
    const others = space.filter(({ stage }) => stage !== 'distil').map(({ deviceBytes }) => deviceBytes!);
    const host = Math.round((peak + Math.max(...others)) / 2) + 2 ** 18;
    expect(host).toBeLessThan(peak);

    const message = await refusal(sets, { host });
    expect(message).toMatch(
      /^The stage distil does not fit .*: It takes [\d.]+ MiB, and there are [\d.]+ MiB/,
    );
    // What it takes in all is said once.
    expect(message.match(/It takes/g)).toHaveLength(1);
    const [, remedy] = /It fits with --set (distil\.memory=.*), as a rehearsal shows/.exec(message)!;
    expect(remedy).toBe('distil.memory=recompute --set distil.storage=float32');
    await fits([...sets, ...remedy!.split(' --set ')], host);
  });

  it('is told where the arrays of the host alone are more than the machine has', async () => {
    expect(await refusal([], { host: 1000 })).toMatch(
      /KiB of arrays on the host, .* 1000 bytes\. Lower data\.train/,
    );
  });
});

it('tells a temporary folder without room as that, and leaves nothing there', async () => {
  const free = vi.spyOn(RunFolder.prototype, 'freeBytes').mockResolvedValue(0);
  const before = await rehearsals();
  try {
    const config = configOf();
    const dataset = await loadDataset(config.data, config.seed);
    const failing = rehearse(await device(), config, dataset, 0);
    await expect(failing).rejects.toThrow(StoreError);
    await expect(failing).rejects.toThrow(
      /^The rehearsal in .*hypergrad-rehearsal-.* failed: The trajectories of .* Set TMPDIR to a folder with room\.$/,
    );
  } finally {
    free.mockRestore();
  }
  expect(await rehearsals()).toEqual(before);
});

it('takes no time where a run is surely small', async () => {
  const config = resolveConfig({ preset: 'mnist-small', sets: [] });
  const dataset = await loadDataset(config.data, config.seed);
  const opened = await device();
  await requireMemory({ device: opened, config, dataset }, { host: 2 ** 33 });
  const start = performance.now();
  await requireMemory({ device: opened, config, dataset }, { host: 2 ** 33 });
  expect(performance.now() - start).toBeLessThan(1000);
});
