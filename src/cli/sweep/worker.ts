/** A process' worker: a device that is opened when a job first needs it, and data, kept from one job to the next. */
import { sizeOf } from '../../autograd/tape.js';
import { DeviceError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import type { OpenDeviceOptions } from '../../gpu/node/openDevice.js';
import type { Config } from '../../pipeline/config/schema.js';
import { type Dataset, loadDataset } from '../../pipeline/data/dataset.js';
import { identifyData } from '../../pipeline/session.js';
import type { IdentifiedDataset, Worker } from '../../pipeline/sweep/runJob.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';

/** Bytes of images up to which data of several seeds stays loaded; the newest always does. */
const KEPT_BYTES = 2 ** 28;

export interface OpenWorker extends Worker {
  /** Gives back device and data. */
  close(): void;
}

const bytesOf = ({ train, test, image }: Dataset): number => (train.count + test.count) * sizeOf(image);

/** Opens nothing yet. Errors of the device as `openTunedDevice` and `outliveDevice` throw them. */
export function openWorker(wanted: OpenDeviceOptions, signal?: AbortSignal): OpenWorker {
  let opened: Device | null = null;
  const kept = new Map<string, IdentifiedDataset>();
  const forgetOld = (): void => {
    let bytes = [...kept.values()].reduce((total, { dataset }) => total + bytesOf(dataset), 0);
    for (const [key, { dataset }] of kept) {
      if (bytes <= KEPT_BYTES || kept.size === 1) return;
      bytes -= bytesOf(dataset);
      dataset.close();
      kept.delete(key);
    }
  };
  return {
    async load(config: Config) {
      const key = JSON.stringify([config.data, config.seed, config.targets.from]);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const dataset = await loadDataset(config.data, config.seed);
      const loaded = { dataset, identity: await identifyData({ config, dataset }) };
      kept.set(key, loaded);
      forgetOld();
      return loaded;
    },
    async compute(folder, progress, work) {
      opened ??= (await openTunedDevice(wanted)).device;
      const device = opened;
      let used = device;
      try {
        return await outliveDevice(
          device,
          wanted,
          { folder, progress, ...(signal === undefined ? {} : { signal }) },
          (current, progress) => {
            used = current;
            return work(current, progress);
          },
        );
      } catch (error) {
        // The next job has another try with a new one.
        if (error instanceof DeviceError) opened = null;
        throw error;
      } finally {
        // What was opened in the place of a lost one is closed by now.
        if (used !== device) opened = null;
        if (opened === null) device.close();
      }
    },
    close() {
      opened?.close();
      for (const { dataset } of kept.values()) dataset.close();
      kept.clear();
    },
  };
}
