/** Seconds of what `npm run soak` does for half an hour: memory stays flat. Rates are not held to anything here. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryFaults, rateFaults, type Sample, summarise } from '../soak/samples.js';
import { soak } from '../soak/soak.js';
import { useDevice } from '../support/device.js';

const device = useDevice();
const scratch = mkdtempSync(join(tmpdir(), 'hypergrad-soak-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('memory stays flat while a distillation goes on, with checkpoints and snapshots', async () => {
  const samples = await soak({
    ...{ device: await device(), folder: scratch, preset: 'tiny-test' },
    sets: ['evaluate.rows=[mkdt]', 'distil.snapshots=20'],
    ...{ seconds: 18, sampleSeconds: 0.5, checkpointSeconds: 1 },
  });
  expect(samples.length).toBeGreaterThan(22);
  expect(samples.at(-1)!.iterations).toBeGreaterThan(40);
  expect(readdirSync(scratch)).toContain('checkpoint-distil.safetensors');
  expect(memoryFaults(summarise(samples))).toEqual([]);
});

describe('what is seen of a long run', () => {
  const MEBIBYTE = 2 ** 20;
  const run = (change: (sample: Sample) => Partial<Sample>): Sample[] =>
    Array.from({ length: 100 }, (_, k) => {
      const sample: Sample = {
        ...{ seconds: 10 * k, iterations: 30 * k, processorSeconds: 15 * k },
        ...{ resident: 300 * MEBIBYTE, heap: 40 * MEBIBYTE, external: 9 * MEBIBYTE, device: MEBIBYTE },
      };
      return { ...sample, ...change(sample) };
    });

  it('is steady where nothing changes, whatever the first tenth was like', () => {
    const soaked = summarise(run(({ seconds }) => (seconds < 90 ? { resident: 0, heap: 0 } : {})));
    expect([...rateFaults(soaked), ...memoryFaults(soaked)]).toEqual([]);
    expect(soaked.windows).toHaveLength(10);
    for (const window of soaked.windows) expect(window.iterationsPerSecond).toBeCloseTo(3, 9);
    expect(soaked.memory.heap).toMatchObject({ first: 40, last: 40, most: 40 });
  });

  it.each([
    ['resident', 33],
    ['heap', 5],
    ['external', 5],
    ['device', 0.01],
  ] as const)('is not flat where the %s memory grows by %d MiB', (name, growth) => {
    // The growth is over the nine tenths that are looked at.
    const soaked = summarise(
      run((sample) => ({ [name]: sample[name] + (growth * MEBIBYTE * sample.seconds) / 890 })),
    );
    expect(memoryFaults(soaked)).toEqual([expect.stringContaining(`The ${name} memory grew by`)]);
  });

  it('has changed where the last window is slower or faster by more than a twentieth', () => {
    const slower = run(({ iterations, seconds }) => ({
      iterations: iterations - (seconds * seconds) / 6000,
    }));
    expect(summarise(slower).change).toBeLessThan(-0.05);
    expect(rateFaults(summarise(slower))).toHaveLength(1);
    expect(rateFaults({ change: 0.051 })).toHaveLength(1);
    expect(rateFaults({ change: -0.049 })).toEqual([]);
  });

  it('is no steady one where it stood still, or its memory is not known', () => {
    expect(rateFaults(summarise(run(() => ({ iterations: 7 }))))).toEqual([
      expect.stringContaining('cannot be told'),
    ]);
    expect(rateFaults({ change: Number.POSITIVE_INFINITY })).toHaveLength(1);
    expect(memoryFaults(summarise(run(() => ({ device: Number.NaN }))))).toHaveLength(1);
  });
});
