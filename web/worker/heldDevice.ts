/** A device that is opened when it is first wanted, and again when it is lost. */
import type { Device } from '../../src/gpu/device.js';

/** A device is opened again so many times for one piece of work before its loss is told. */
const MOST_REOPENINGS = 3;

export class HeldDevice {
  readonly #open: () => Promise<Device>;
  /** Brings back what was on the device that was lost. */
  readonly #restore: () => Promise<void>;
  #device: Promise<Device> | null = null;
  #isLost = false;

  constructor(open: () => Promise<Device>, restore: () => Promise<void>) {
    this.#open = open;
    this.#restore = restore;
  }

  /** The device. Throws `DeviceError` where none opens; the next call tries again. */
  async get(): Promise<Device> {
    if (this.#device === null) {
      this.#isLost = false;
      const opening = this.#open();
      this.#device = opening;
      opening.then(
        ({ gpu }) =>
          gpu.lost.then(() => {
            if (this.#device === opening) this.#isLost = true;
          }),
        () => {
          this.#device = null;
        },
      );
    }
    return await this.#device;
  }

  /** Does some work on the device; where the device is lost meanwhile, opens it again and does the work anew. */
  async use<Value>(work: (device: Device) => Promise<Value>): Promise<Value> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work(await this.get());
      } catch (error) {
        // The loss is told a moment after the call that it made fail.
        await new Promise((later) => setTimeout(later));
        if (!this.#isLost || attempt >= MOST_REOPENINGS) throw error;
        (await this.#device)?.close();
        this.#device = null;
        await this.#restore();
      }
    }
  }
}
