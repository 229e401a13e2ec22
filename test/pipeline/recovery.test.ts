import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DeviceError, DeviceLostError, InterruptedError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';
import { silentProgress } from '../../src/pipeline/progress.js';
import { outliveLosses, type RecoveryOptions } from '../../src/pipeline/recovery.js';
import { folderContents } from '../support/folderContents.js';
import { recoveredRun } from '../support/recoveredRun.js';

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-recovery-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Little to compile in the stages that the test is not about; every stage has its turn in `npm run test:faults`. */
const sets = ['evaluate.rows=[randomEncoder]', 'evaluate.seeds=1'];

describe('a run whose device is lost', () => {
  let undisturbed: Record<string, string>;
  beforeAll(async () => {
    const path = join(scratch, 'undisturbed');
    expect(await recoveredRun(path, { sets })).toEqual({ lines: [], opened: 1 });
    undisturbed = folderContents(path);
  });

  it('goes on, says so in a line a loss, and ends with the bits of an undisturbed one', async () => {
    const path = join(scratch, 'lost');
    const { lines, opened } = await recoveredRun(path, {
      sets,
      losses: [
        { stage: 'teacher', moment: { at: 'compile', number: 3 } },
        { stage: 'distil', moment: { at: 'hook', number: 2 } },
        { stage: 'distil', moment: { at: 'read', number: 5 } },
      ],
    });
    expect(opened).toBe(4);
    expect(lines.map((line) => /in the stage (\w+)/.exec(line)?.[1])).toEqual([
      'teacher',
      'distil',
      'distil',
    ]);
    for (const line of lines) expect(line).toMatch(/^The device '.*' was lost .*\. Opening it again in 0 s/);
    expect(folderContents(path)).toEqual(undisturbed);
  });
});

describe('work that outlives the loss of its device', () => {
  const lines: string[] = [];
  const optionsOf = (changed: Partial<RecoveryOptions> = {}): RecoveryOptions => ({
    reopen: openDevice,
    folder: null,
    progress: silentProgress,
    say: (line) => void lines.push(line),
    pauses: [0, 0],
    ...changed,
  });

  /** Loses the device so often, then gives its name. */
  const losing = (times: number, eachTime: (k: number) => Promise<void> = async () => {}) => {
    let done = 0;
    return async (device: Device): Promise<string> => {
      if (done < times) {
        await eachTime(done++);
        device.gpu.destroy();
      }
      await device.settle();
      await device.read(device.acquireBuffer(4, 'asked'), 0, 4);
      return device.adapter.name;
    };
  };

  async function withDevice<Result>(work: (device: Device) => Promise<Result>): Promise<Result> {
    const device = await openDevice();
    try {
      return await work(device);
    } finally {
      device.close();
    }
  }

  it('is done again on a new device, which is closed afterwards', async () => {
    const opened: Device[] = [];
    const reopen = async (): Promise<Device> => {
      opened.push(await openDevice({ anew: true }));
      return opened.at(-1)!;
    };
    await withDevice(async (device) => {
      await expect(outliveLosses(device, optionsOf({ reopen }), losing(2))).resolves.toBe(
        device.adapter.name,
      );
    });
    expect(opened).toHaveLength(2);
    for (const device of opened) await expect(device.settle()).rejects.toThrow(/closed/);
  });

  it('stops with what, where and what to do after one loss more than there are pauses', async () => {
    const error = await withDevice((device) =>
      outliveLosses(device, optionsOf({ folder: { path: scratch } }), (lost, progress) => {
        progress.started('distil', 4, 'iterations');
        return losing(1)(lost);
      }).catch((reason: unknown) => reason),
    );
    expect(error).toBeInstanceOf(DeviceLostError);
    const { message, exitCode } = error as DeviceLostError;
    expect(exitCode).toBe(3);
    expect(message).toMatch(/was lost in the stage distil: .*attempt 2 of 2/);
    expect(message).toContain(scratch);
    expect(message).toMatch(/give the same command again to go on/);
  });

  it('counts anew once something was kept in the folder', async () => {
    const keep = (k: number) => writeFile(join(scratch, 'checkpoint-distil.safetensors'), 'x'.repeat(k));
    await withDevice(async (device) => {
      const options = optionsOf({ folder: { path: scratch } });
      await expect(outliveLosses(device, options, losing(5, keep))).resolves.toBe(device.adapter.name);
      await expect(outliveLosses(device, options, losing(5))).rejects.toThrow(DeviceLostError);
    });
  });

  it('takes no other adapter in the place of the lost one, and says which answered', async () => {
    const reopen = async (): Promise<Device> => {
      const device = await openDevice();
      return Object.assign(device, { adapter: { ...device.adapter, name: 'Another GPU' } });
    };
    lines.length = 0;
    await withDevice((device) =>
      expect(outliveLosses(device, optionsOf({ reopen }), losing(1))).rejects.toThrow(
        /Instead of '.*', 'Another GPU' was opened, on which the bits would differ/,
      ),
    );
    expect(lines).toHaveLength(2);
  });

  it('tries again where the device does not come back at once', async () => {
    let asked = 0;
    const reopen = async (): Promise<Device> => {
      if (asked++ === 0) throw new DeviceError('No WebGPU device can be opened.');
      return await openDevice();
    };
    await withDevice((device) =>
      expect(outliveLosses(device, optionsOf({ reopen }), losing(1))).resolves.toBe(device.adapter.name),
    );
    expect(asked).toBe(2);
  });

  it('ends a pause at once when it is asked to stop, with the exit code of an interruption', async () => {
    const controller = new AbortController();
    const start = performance.now();
    setTimeout(() => controller.abort(), 50);
    const error = await withDevice((device) =>
      outliveLosses(device, optionsOf({ pauses: [600], signal: controller.signal }), losing(1)).catch(
        (reason: unknown) => reason,
      ),
    );
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as InterruptedError).exitCode).toBe(130);
    // Work without a folder keeps nothing.
    expect((error as InterruptedError).message).toMatch(/Nothing was kept: .*begin anew/);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it.each([new ConfigError('Not this.'), new DeviceError('Out of memory.'), new TypeError('a fault')])(
    'is not done again after an error that is no loss: %s',
    async (error) => {
      let calls = 0;
      await withDevice((device) =>
        expect(
          outliveLosses(device, optionsOf(), async () => {
            calls++;
            throw error;
          }),
        ).rejects.toBe(error),
      );
      expect(calls).toBe(1);
    },
  );
});
