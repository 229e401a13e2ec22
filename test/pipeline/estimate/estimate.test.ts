import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingDevice } from '../../../src/gpu/countingDevice.js';
import { openDevice } from '../../../src/gpu/node/openDevice.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { type Estimate, estimateRun } from '../../../src/pipeline/estimate/estimate.js';
import { hostMemoryOf } from '../../../src/pipeline/estimate/hostMemory.js';
import { rehearse } from '../../../src/pipeline/estimate/rehearse.js';
import { describeEstimate } from '../../../src/pipeline/estimate/text.js';
import { silentProgress } from '../../../src/pipeline/progress.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';

const rows = 'randomEncoder, randomSubset, highLossSubset, mkdt, trajectoryMatchingOnSsl, allData, teacher';
/** Every stage that there is. */
const config = resolveConfig({
  preset: 'tiny-test',
  sets: [
    `evaluate.rows=[${rows}]`,
    'selfSupervised.iterations=2',
    'selfSupervised.steps=2',
    'selfSupervised.batch=4',
    'selfSupervised.expertEpochs=1',
    'selfSupervised.startEpochs=1',
    'selfSupervised.experts.epochs=2',
    'selfSupervised.experts.count=2',
    'distil.snapshots=2',
  ],
});

describe('the estimate of a run', () => {
  let estimate: Estimate;
  let path: string;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'hypergrad-estimate-'));
    const device = await openDevice();
    estimate = await estimateRun(device, config, await loadDataset(config.data, config.seed), { budget: 3 });
    device.close();
  });
  afterAll(() => rm(path, { recursive: true, force: true }));

  it('tells every stage the device memory and the disk that the run then takes, to the byte', async () => {
    const device = await openDevice();
    let [held, peak] = [0, 0];
    const create = device.gpu.createBuffer.bind(device.gpu);
    device.gpu.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      held += descriptor.size;
      peak = Math.max(peak, held);
      buffer.destroy = () => {
        held -= descriptor.size;
        return destroy();
      };
      return buffer;
    };
    const peaks: number[] = [];
    const folder = await RunFolder.open(path);
    await runPipeline({
      config,
      dataset: await loadDataset(config.data, config.seed),
      folder,
      device,
      command: 'test',
      progress: {
        ...silentProgress,
        started: () => {
          peak = held;
        },
        finished: () => void peaks.push(peak),
      },
    });
    await folder.close();
    device.close();
    expect(peaks).toEqual(estimate.space.map(({ deviceBytes }) => deviceBytes));

    const files = (await readdir(path, { recursive: true })).filter((name) => /safetensors$/.test(name));
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(path, name))).size));
    const tensors = sizes.reduce((total, size) => total + size, 0);
    const expected = (stage: string): number =>
      estimate.space.find((space) => space.stage === stage)!.diskBytes!;
    const [images, evaluation] = await Promise.all(
      ['images.png', 'evaluation.json'].map(async (name) => (await stat(join(path, name))).size),
    );
    // The picture and the numbers in the evaluation are as long as what they show; all tensors are known to the byte.
    expect(estimate.diskBytes! - tensors).toBeLessThan(2 * (images! + evaluation!));
    expect(estimate.diskBytes! - tensors).toBeGreaterThan(0);
    expect(expected('experts')).toBe(
      sizes.filter((_, k) => files[k]!.startsWith('experts')).reduce((total, size) => total + size, 0),
    );
  });

  it('labels every time with how it was come by, and adds them up', () => {
    for (const { seconds, source, runs } of estimate.times) {
      expect(seconds).toBeGreaterThan(0);
      expect(runs).toBeGreaterThan(0);
      expect(['measured', 'predicted']).toContain(source?.kind);
    }
    const sum = estimate.times.reduce((total, { runs, seconds }) => total + runs * seconds!, 0);
    expect(estimate.seconds).toBeCloseTo(sum, 9);
    const { teacher, distil, experts } = config;
    const runsOf = (stage: string) => estimate.times.find((time) => time.stage === stage)!.runs;
    expect(runsOf('teacher')).toBe(teacher.steps);
    expect(runsOf('experts')).toBe((experts.count * experts.epochs * 200) / experts.batch);
    expect(runsOf('distil')).toBe(distil.iterations * distil.steps);
  });

  it('is a table in plain text', () => {
    const text = describeEstimate(estimate);
    expect(text).toMatch(/^stage +work +images +runs +each +together +how\n/);
    expect(text).toMatch(/\ndistil +its way back +5 +8 /);
    expect(text).not.toMatch(/NaN|undefined|does not fit/);
  });
});

it('takes what the host holds off the memory of a software device, as a run does', async () => {
  const opened = await openDevice();
  // On a device that only counts, what is measured takes no time.
  const { device } = await countingDevice(opened);
  const small = resolveConfig({ preset: 'tiny-test', sets: ['evaluate.rows=[mkdt]', 'evaluate.seeds=1'] });
  const dataset = await loadDataset(small.data, small.seed);
  const space = await rehearse(device, small, dataset, 0);
  const peak = Math.max(...space.map(({ deviceBytes }) => deviceBytes!));
  const arrays = Math.max(...hostMemoryOf(small, dataset).map(({ bytes }) => bytes));
  // As much as the device takes, but not beside the host's own arrays.
  const estimate = await estimateRun(device, small, dataset, { budget: 0.1, hostBytes: peak + arrays - 1 });
  opened.close();
  expect(estimate.machine.totalBytes).toBe(peak + arrays - 1);
  expect(describeEstimate(estimate)).toMatch(
    / does not fit this device: It takes .*, and there are .* beside/,
  );
});

it('names the setting that makes a stage fit a device, and counts the stages as if it were there', async () => {
  const opened = await openDevice();
  const dataset = await loadDataset(config.data, config.seed);
  const wide = resolveConfig({
    preset: 'tiny-test',
    sets: ['evaluate.allData.batch=200', 'student.width=64'],
  });
  // The largest tensor is one of 200 images in pre-training on all data: half of it does not fit.
  const { device } = await countingDevice(opened, { maxStorageBufferBindingSize: 200 * 64 * 49 * 2 });
  const space = await rehearse(device, wide, dataset, Number.POSITIVE_INFINITY);
  opened.close();
  expect(space.map(({ refusal }) => refusal?.remedy)).toEqual([
    ...new Array(5).fill(undefined),
    'evaluate.allData.batch=100',
  ]);
  expect(space.at(-1)!.refusal!.reason).toMatch(/largest storage buffer/);
  expect(space.every(({ deviceBytes }) => deviceBytes! > 0)).toBe(true);
});
