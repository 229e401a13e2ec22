import { readFile } from 'node:fs/promises';
import type { Device } from '../../src/gpu/device.js';
import { readDigits } from '../../web/worker/digits.js';
import { Session } from '../../web/worker/session.js';

/** The session of the page's worker, under Node: the same digits and teacher, and nothing kept. */
export const nodeSession = (device: Device): Session =>
  new Session({
    open: async () => device,
    load: async () => ({
      dataset: await readDigits(new Uint8Array(await readFile('web/.generated/digits.bin'))),
      teacher: new Uint8Array(await readFile('web/recorded/teacher.safetensors')),
    }),
    keeper: { load: async () => undefined, save: async () => undefined, remove: async () => undefined },
    tell: () => undefined,
  });
