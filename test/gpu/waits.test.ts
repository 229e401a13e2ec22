import { describe, expect, it } from 'vitest';
import { ConfigError, DeviceLostError, DeviceTimeoutError } from '../../src/errors.js';
import { patienceOf } from '../../src/gpu/node/patience.js';
import { patientWait } from '../../src/gpu/node/patientWait.js';
import { DEFAULT_PATIENCE, Waits } from '../../src/gpu/waits.js';

const never = new Promise<never>(() => {});
const answerAfter = (milliseconds: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve('done'), milliseconds));

describe('the waits of a device', () => {
  it('give what the device answers, or its failure', async () => {
    const waits = new Waits('device');
    await expect(waits.bounded(answerAfter(1), 'it worked')).resolves.toBe('done');
    await expect(waits.bounded(Promise.reject(new Error('no')), 'it worked')).rejects.toThrow('no');
  });

  it('end with a typed error that says what, how long and what to do when the device is silent', async () => {
    const waits = new Waits("device 'slow one'", 0.2, 'Turn it off.');
    const start = performance.now();
    const error = await waits.bounded(never, 'a buffer was read back').catch((reason: unknown) => reason);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(error).toBeInstanceOf(DeviceTimeoutError);
    const { message } = error as DeviceTimeoutError;
    expect(message).toMatch(/'slow one'.*0\.2 s while a buffer was read back.*\. Turn it off\.$/);
    expect(waits.failure).toBe(error);
  });

  it('advise nothing that only some hosts have unless they are told to', async () => {
    const waits = new Waits('device', 0.02);
    const error = await waits.bounded(never, 'it worked').catch((reason: unknown) => reason);
    expect((error as DeviceTimeoutError).message).toMatch(/smaller steps/);
    expect((error as DeviceTimeoutError).message).not.toMatch(/HYPERGRAD|environment/);
  });

  it('last as long as signs of life come', async () => {
    const waits = new Waits('device', 0.4);
    const work = waits.bounded(answerAfter(900), 'it worked');
    for (let k = 1; k < 9; k++) waits.mark(answerAfter(100 * k));
    await expect(work).resolves.toBe('done');
  });

  it('do not take a host that computed by itself for a silent device', async () => {
    const waits = new Waits('device', 0.2);
    const work = waits.bounded(answerAfter(300), 'it worked');
    const start = performance.now();
    while (performance.now() - start < 280);
    await expect(work).resolves.toBe('done');
  });

  it('end together, and at once from then on, when the device is lost', async () => {
    const waits = new Waits('device');
    const pending = Array.from({ length: 5 }, (_, k) => waits.bounded(never, `it did ${k}`));
    const loss = new DeviceLostError('gone', 'gone');
    waits.fail(loss);
    waits.fail(new Error('a second reason does not count'));
    for (const wait of pending) await expect(wait).rejects.toBe(loss);
    await expect(waits.bounded(Promise.reject(new Error('late')), 'it worked')).rejects.toBe(loss);
  });

  it('leave no turns of the event loop behind, also around work that never ends', async () => {
    const waits = new Waits('device', 0.1);
    await expect(patientWait(waits.bounded(never, 'it worked'))).rejects.toThrow(DeviceTimeoutError);
    await answerAfter(20);
    // Node names the timers and immediates that keep a process; those of this test's own runner aside, none is left.
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Immediate')).toEqual([]);
  });
});

describe('HYPERGRAD_DEVICE_TIMEOUT', () => {
  it('is a number of seconds, half an hour where it is not set', () => {
    expect(patienceOf('')).toBe(DEFAULT_PATIENCE);
    expect(patienceOf('2.5')).toBe(2.5);
    expect(DEFAULT_PATIENCE).toBe(1800);
  });

  it.each(['soon', '0', '-1', '1e99', 'Infinity', '99999999999'])('refuses %s by name', (text) => {
    expect(() => patienceOf(text)).toThrow(ConfigError);
    expect(() => patienceOf(text)).toThrow(/HYPERGRAD_DEVICE_TIMEOUT/);
  });
});
