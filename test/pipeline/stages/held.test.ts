import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceError } from '../../../src/errors.js';
import { countingDevice } from '../../../src/gpu/countingDevice.js';
import type { Device } from '../../../src/gpu/device.js';
import { stagesOf } from '../../../src/pipeline/stageList.js';
import { Held } from '../../../src/pipeline/stages/held.js';
import { useDevice } from '../../support/device.js';
import { inTinyFolder } from '../../support/tinyStages.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-held-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('gives back what was taken last first, and once', () => {
  const order: string[] = [];
  const held = new Held();
  expect(held.takeWith('first', (name) => order.push(name))).toBe('first');
  held.take({ release: () => order.push('second') });
  held.release();
  held.release();
  expect(order).toEqual(['second', 'first']);
});

/** Lets the buffer of one number fail, from 1 on, and counts those that were asked for and those that are lent. */
function watchBuffers(counting: Device) {
  const lent = new Set<GPUBuffer>();
  const seen = { asked: 0, failing: 0, lent };
  const acquire = counting.acquireBuffer.bind(counting);
  const release = counting.releaseBuffer.bind(counting);
  counting.acquireBuffer = (...request) => {
    if (++seen.asked === seen.failing) throw new DeviceError('out of memory');
    const buffer = acquire(...request);
    lent.add(buffer);
    return buffer;
  };
  counting.releaseBuffer = (buffer) => {
    lent.delete(buffer);
    release(buffer);
  };
  return seen;
}

/** Buffers that a stage has made by itself, or that came to it whole: what was being made when it failed is not its own. */
const OWN = /^(teacher|targets|experts|subset|pixels|watch|distil|selfSupervised\.experts)\b/;

it('no stage keeps device memory when some of it cannot be had', async () => {
  const { device: counting } = await countingDevice(await device());
  const seen = watchBuffers(counting);
  const sets = ['evaluate.rows=[mkdt, trajectoryMatchingOnSsl]', 'distil.keep=best', 'experts.count=1'];
  await inTinyFolder(counting, join(scratch, 'run'), sets, async (tiny) => {
    const context = { ...tiny, parts: { isDone: async () => false, record: async () => {} } };
    for (const stage of stagesOf(context.config).filter(({ name }) => name !== 'evaluate')) {
      seen.asked = 0;
      seen.failing = 0;
      await stage.run(context);
      const all = seen.asked;
      expect(seen.lent.size, stage.name).toBe(0);
      for (let failing = 1; failing <= all; failing += Math.ceil(all / 8)) {
        seen.asked = 0;
        seen.failing = failing;
        const what = `${stage.name}, buffer ${seen.failing} of ${all}`;
        await expect(stage.run(context), what).rejects.toThrow('out of memory');
        const labels = [...seen.lent].map(({ label }) => label);
        expect(
          labels.filter((label) => OWN.test(label)),
          what,
        ).toEqual([]);
        seen.lent.clear();
      }
    }
  });
});
