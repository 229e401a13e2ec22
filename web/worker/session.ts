/**
 * What the page's worker does, whatever it runs on: one device, one distillation. What is worth keeping goes to a keeper, so that
 * a page that is left and opened again goes on; a device that is lost is opened again, and the work goes on from what was kept.
 */
import type { AdapterDescription, Device } from '../../src/gpu/device.js';
import type { ResultRow } from '../../src/pipeline/report/types.js';
import { syntheticSheet, syntheticTensors } from '../../src/pipeline/stages/syntheticTensors.js';
import { encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import type { DeviceReport } from '../device.js';
import type { InsideGradient } from '../inside.js';
import type { Happening, IterationRecord, OpenedDevice, SetState } from '../protocol.js';
import type { DistilSettings } from '../settings.js';
import { Distillation } from './distillation.js';
import { examineDevice } from './examine.js';
import { HeldDevice } from './heldDevice.js';
import { HeldWork } from './heldWork.js';
import { lookInside } from './inside.js';
import type { Keeper } from './keeper.js';
import type { Material, Told } from './prepare.js';
import { probeSet } from './probe.js';

export interface SessionOptions {
  open(): Promise<Device>;
  /** Reads the digits and the teacher. */
  load(): Promise<Material>;
  readonly keeper: Keeper;
  tell(happening: Happening): void;
}

/** Milliseconds between two times that the state is kept. */
const KEEP_EVERY = 500;

const describe = (device: Device): OpenedDevice => ({ ...device.adapter, description: device.describe() });

export class Session {
  readonly #tell: SessionOptions['tell'];
  readonly #held: HeldDevice;
  readonly #work: HeldWork;
  readonly #told: Told;
  /** Whether the latest `run` is to go on; each has one of its own, so that an older one stays stopped. */
  #run = { isWanted: false };
  /** Ends when all that was asked for has ended. */
  #turn: Promise<unknown> = Promise.resolve();
  #keptAt = 0;

  constructor({ open, load, keeper, tell }: SessionOptions) {
    this.#tell = tell;
    this.#told = (what, done, total) => tell({ kind: 'progress', what, done, total });
    this.#held = new HeldDevice(open, (device, lost: AdapterDescription) =>
      tell({ kind: 'reopened', device: describe(device), isAnother: device.adapter.name !== lost.name }),
    );
    this.#work = new HeldWork({
      load,
      keeper,
      told: this.#told,
      restored: (state) => tell({ kind: 'restored', state }),
    });
  }

  /** The iterations so far. */
  get records(): readonly IterationRecord[] {
    return this.#work.records;
  }

  async open(): Promise<OpenedDevice> {
    return describe(await this.#held.get());
  }

  /**
   * Prepares a distillation, or goes on with the one of these settings that was kept.
   * @param brought name of a set that was brought and is distilled further; where it is not kept any more, the digits are
   */
  async begin(settings: DistilSettings, brought: string | null = null): Promise<SetState> {
    return await this.#alone((device) => this.#work.begin(device, settings, brought));
  }

  /** Iterates until `pause`, or the last iteration. Gives back how many are done. */
  async run(): Promise<number> {
    if (this.#run.isWanted) return this.records.length;
    const run = { isWanted: true };
    this.#run = run;
    return await this.#inTurn(() => this.#iterate(run));
  }

  pause(): null {
    this.#run.isWanted = false;
    return null;
  }

  /** One iteration. */
  async step(): Promise<number> {
    this.pause();
    return await this.#inTurn(async () => {
      await this.#iterateOnce();
      await this.#keep(true);
      return this.records.length;
    });
  }

  async #iterate(run: { isWanted: boolean }): Promise<number> {
    try {
      while (run.isWanted && (await this.#iterateOnce())) await this.#keep(false);
    } finally {
      run.isWanted = false;
    }
    await this.#keep(true);
    return this.records.length;
  }

  /** Begins some work when all that was asked for before it has ended. */
  async #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  /** Does some work on the device between others, when its turn comes. */
  async #between<Value>(work: (device: Device) => Promise<Value>): Promise<Value> {
    return await this.#inTurn(() => this.#held.use(work));
  }

  /** Ends `run`, and does some work on the device. */
  async #alone<Value>(work: (device: Device) => Promise<Value>): Promise<Value> {
    this.pause();
    return await this.#between(work);
  }

  /** One iteration, unless all are done. Whether there was one to do. */
  async #iterateOnce(): Promise<boolean> {
    return await this.#held.use(async (device) => {
      const { distillation } = await this.#work.on(device);
      if (distillation.isDone) return false;
      const record = await distillation.step();
      const { images } = await distillation.read();
      this.#tell({ kind: 'iteration', record, images });
      return true;
    });
  }

  /** Keeps how far it is, where that is due. */
  async #keep(isDue: boolean): Promise<void> {
    if (!isDue && performance.now() - this.#keptAt < KEEP_EVERY) return;
    await this.#held.use((device) => this.#work.keep(device));
    this.#keptAt = performance.now();
  }

  /** Back to the first images. */
  async reset(): Promise<SetState> {
    return await this.#alone(async (device) => {
      const state = await this.#work.reset(device);
      await this.#work.keep(device);
      return state;
    });
  }

  /** Trains fresh students on several sets, and probes what they have learnt. */
  async probe(seeds: number): Promise<readonly ResultRow[]> {
    return await this.#alone(async (device) => {
      const { config, material, prepared, distillation } = await this.#work.on(device);
      const set = await distillation.read();
      return await probeSet({ device, config, material, prepared, set, seeds }, this.#told);
    });
  }

  /** Takes the hypergradient that the next iteration would move down, and tells what the way back leaves at each step. */
  async lookInside(): Promise<InsideGradient> {
    return await this.#alone(async (device) => {
      const { config, material, prepared, distillation } = await this.#work.on(device);
      const subject = {
        device,
        config,
        dataset: material.dataset,
        prepared,
        set: await distillation.read(),
        iteration: distillation.records.length,
      };
      return await lookInside(subject, this.#told);
    });
  }

  /** Computes on the device, and tells what it reaches. */
  async examine(): Promise<DeviceReport> {
    return await this.#alone(async (device) => {
      const { config, material, prepared } = await this.#work.on(device);
      const looked = await Distillation.create(device, config, material.dataset, prepared);
      try {
        return await examineDevice(device, () => looked.step());
      } finally {
        looked.release();
      }
    });
  }

  /** The set as a safetensors file, as a run leaves it. */
  async download(): Promise<Uint8Array> {
    return await this.#between(async (device) => {
      const { distillation, prepared, material } = await this.#work.on(device);
      const set = await distillation.read();
      return encodeSafetensors(new Map(syntheticTensors(set, prepared.start, material.dataset.image)));
    });
  }

  /** The picture of start and set. */
  async picture(): Promise<ReturnType<typeof syntheticSheet>> {
    return await this.#between(async (device) => {
      const { distillation, prepared, material } = await this.#work.on(device);
      return syntheticSheet(await distillation.read(), prepared.start, material.dataset);
    });
  }

  /**
   * Keeps a set in a file, and gives back the name by which `begin` distils it further.
   * @throws DataError for a file that is none, or one of other images.
   */
  async upload(settings: DistilSettings, file: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return await this.#alone((device) => this.#work.bring(device, settings, file, bytes));
  }

  /** @internal Destroys the device, as the reset of a driver does. */
  async loseDevice(): Promise<null> {
    const { gpu } = await this.#held.get();
    gpu.destroy();
    await gpu.lost;
    return null;
  }
}
