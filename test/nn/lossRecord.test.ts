import { expect, it } from 'vitest';
import { allocateRange } from '../../src/autograd/compile/bufferRange.js';
import { LossRecord, RECORDED_STEPS } from '../../src/nn/lossRecord.js';
import { useDevice } from '../support/device.js';

const device = useDevice();

it('gives every loss once and in order, also those of more steps than the device holds', async () => {
  const opened = await device();
  const loss = allocateRange(opened, 1, 'loss');
  const record = new LossRecord(opened, 'test');
  const expected: number[] = [];
  const make = async (steps: number): Promise<void> => {
    for (let k = 0; k < steps; k++) {
      await record.makeRoom(1);
      opened.write(loss.buffer, Float32Array.of(expected.length));
      opened.submit((encoder) => record.encode(encoder, loss));
      expected.push(expected.length);
    }
  };
  await make(3);
  expect([...(await record.take())]).toEqual(expected);
  expect([...(await record.take())]).toEqual([]);
  await make(RECORDED_STEPS + 7);
  expect([...(await record.take())]).toEqual(expected.slice(3));
  await make(2);
  record.clear();
  expect([...(await record.take())]).toEqual([]);
  record.release();
  opened.releaseBuffer(loss.buffer);
});
