/** A device that is opened when it is first wanted, and again when it is lost. */
import type { AdapterDescription, Device } from '../../src/gpu/device.js';

/** A device is opened again so many times for one piece of work before its loss is told. */
const MOST_REOPENINGS = 3;

export class HeldDevice {
  readonly #open: () => Promise<Device>;
  /** Told of a device that has taken a lost one's place. */
  readonly #reopened: (device: Device, lost: AdapterDescription) => void;
  #device: Promise<Device> | null = null;
  /** What was lost, until another device has taken its place. */
  #lost: AdapterDescription | null = null;

  constructor(
    open: () => Promise<Device>,
    reopened: (device: Device, lost: AdapterDescription) => void = () => undefined,
  ) {
    this.#open = open;
    this.#reopened = reopened;
  }

  /** The device. Throws `DeviceError` where none opens; the next call tries again. */
  async get(): Promise<Device> {
    if (this.#device === null) {
      const opening = this.#openOne();
      this.#device = opening;
      opening.catch(() => {
        this.#device = null;
      });
    }
    return await this.#device;
  }

  /**
   * Does some work on the device; where the device is lost meanwhile, opens it again and does the work anew. One piece of work at
   * a time. Work that finds another device than before has to bring there what it needs.
   */
  async use<Value>(work: (device: Device) => Promise<Value>): Promise<Value> {
    for (let reopenings = 0; ; reopenings++) {
      const device = await this.get();
      try {
        return await work(device);
      } catch (error) {
        if ((await device.loss()) === null) throw error;
        device.close();
        this.#device = null;
        this.#lost = device.adapter;
        if (reopenings >= MOST_REOPENINGS) throw error;
      }
    }
  }

  async #openOne(): Promise<Device> {
    const device = await this.#open();
    const lost = this.#lost;
    this.#lost = null;
    if (lost !== null) this.#reopened(device, lost);
    return device;
  }
}
