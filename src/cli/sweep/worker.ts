/** A process' worker: a device that is opened when a job first needs it, and data, kept from one job to the next. */
import { sizeOf } from '../../autograd/tape.js';
import { DeviceError } from '../../errors.js';
import type { AdapterDescription, Device } from '../../gpu/device.js';
import type { OpenDeviceOptions } from '../../gpu/node/openDevice.js';
import type { Config } from '../../pipeline/config/schema.js';
import type { Dataset } from '../../pipeline/data/dataset.js';
import { datasetLoader } from '../../pipeline/data/loader.js';
import { requireMemory } from '../../pipeline/estimate/requireMemory.js';
import { identifyData } from '../../pipeline/session.js';
import type { IdentifiedDataset, Worker } from '../../pipeline/sweep/runJob.js';
import { openTunedDevice, outliveDevice } from '../tunedDevice.js';

/** Bytes of images up to which data of several seeds stays loaded; the newest always does. */
const KEPT_BYTES = 2 ** 28;

/** What a worker's device is. */
export interface SeenDevice {
  /** In one line, with its tuning where there is one. */
  readonly description: string;
  readonly kind: AdapterDescription['kind'];
}

export interface OpenWorker extends Worker {
  /** Opens the device, and looks whether jobs of these configurations fit it and this machine. Throws `DeviceError`. */
  look(configs: readonly Config[]): Promise<SeenDevice>;
  /** Gives back device and data. */
  close(): void;
}

const bytesOf = ({ train, test, image }: Dataset): number => (train.count + test.count) * sizeOf(image);

/** Opens nothing yet. Errors of the device as `openTunedDevice` and `outliveDevice` throw them. */
export function openWorker(wanted: OpenDeviceOptions, signal?: AbortSignal): OpenWorker {
  let opened: Device | null = null;
  let description = '';
  const open = async (): Promise<Device> => {
    if (opened !== null) return opened;
    const tuned = await openTunedDevice(wanted);
    ({ description } = tuned);
    opened = tuned.device;
    return opened;
  };
  const kept = new Map<string, IdentifiedDataset>();
  const draw = datasetLoader();
  const forgetOld = (): void => {
    let bytes = [...kept.values()].reduce((total, { dataset }) => total + bytesOf(dataset), 0);
    for (const [key, { dataset }] of kept) {
      if (bytes <= KEPT_BYTES || kept.size === 1) return;
      bytes -= bytesOf(dataset);
      dataset.close();
      kept.delete(key);
    }
  };
  const load = async (config: Config): Promise<IdentifiedDataset> => {
    const key = JSON.stringify([config.data, config.seed, config.targets.from]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const dataset = await draw(config.data, config.seed);
    const loaded = { dataset, identity: await identifyData({ config, dataset }) };
    kept.set(key, loaded);
    forgetOld();
    return loaded;
  };
  return {
    load,
    async look(configs) {
      const device = await open();
      for (const config of configs) {
        await requireMemory({ device, config, dataset: (await load(config)).dataset });
      }
      return { description, kind: device.adapter.kind };
    },
    async compute(folder, progress, work) {
      const device = await open();
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
