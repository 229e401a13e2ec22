/**
 * What the page's worker does, whatever it runs on: one device, one distillation. What is worth keeping goes to a keeper, so that
 * a page that is left and opened again goes on; a device that is lost is opened again, and the work goes on from what was kept.
 */
import { HypergradError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import type { ResultRow } from '../../src/pipeline/report/types.js';
import type { StartingSet } from '../../src/pipeline/stages/starts.js';
import {
  type SyntheticSet,
  syntheticSheet,
  syntheticTensors,
} from '../../src/pipeline/stages/syntheticTensors.js';
import { encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import type { DeviceReport } from '../device.js';
import type { InsideGradient } from '../inside.js';
import type { Happening, ImageTable, IterationRecord, OpenedDevice, SetState } from '../protocol.js';
import { configOf, type DistilSettings } from '../settings.js';
import { type BroughtSet, nameOf, ownSettings, readBrought } from './brought.js';
import { Distillation, type Kept, nothingKept } from './distillation.js';
import { examineDevice } from './examine.js';
import { HeldDevice } from './heldDevice.js';
import { lookInside } from './inside.js';
import { type Keeper, type KeptWork, keepOf, keyOf, loadOf, type SeedWork } from './keeper.js';
import { type Material, type Prepared, startFrom, type Told, type Trained, train } from './prepare.js';
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
// What is kept, by kinds. Another version of what is kept of a distillation is another kind.
const DISTILLATION = 'distillation 2';
const BROUGHT = 'brought set';

/** What a distillation was begun with. */
interface Begun {
  readonly settings: DistilSettings;
  /** Name of the brought set that it goes on from; null for the page's digits. */
  readonly set: string | null;
  readonly own: SetState['own'];
  /** What it is kept by. */
  readonly key: string;
}

interface Work {
  readonly begun: Begun;
  readonly config: Config;
  readonly material: Material;
  readonly prepared: Prepared;
  readonly distillation: Distillation;
  readonly kept: Kept;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #held: HeldDevice;
  readonly #told: Told;
  #material: Promise<Material> | null = null;
  #trained: SeedWork | null = null;
  #work: Work | null = null;
  /** Sets that were brought in this visit, for browsers that keep nothing. */
  readonly #brought = new Map<string, BroughtSet>();
  /** Whether the latest `run` is to go on; each has one of its own, so that an older one stays stopped. */
  #run = { isWanted: false };
  /** Ends when all that was asked for has ended. */
  #turn: Promise<unknown> = Promise.resolve();
  #keptAt = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#told = (what, done, total) => options.tell({ kind: 'progress', what, done, total });
    this.#held = new HeldDevice(options.open, () => this.#restore());
  }

  /** The iterations so far. */
  get records(): readonly IterationRecord[] {
    return this.#begun().distillation.records;
  }

  async open(): Promise<OpenedDevice> {
    const device = await this.#held.get();
    return { ...device.adapter, description: device.describe() };
  }

  /**
   * Prepares a distillation, or goes on with the one of these settings that was kept.
   * @param set name of a set that was brought and is distilled further; where it is not kept any more, the digits are
   */
  async begin(settings: DistilSettings, set: string | null = null): Promise<SetState> {
    return await this.#alone(async (device) => {
      const { keeper } = this.#options;
      const brought = set === null ? undefined : await this.#broughtAs(set);
      const own = brought === undefined ? {} : ownSettings(brought);
      const chosen = { ...settings, ...own };
      const found = brought === undefined ? null : set;
      const key = keyOf(chosen, found, device.adapter.name);
      const left = await loadOf<KeptWork>(keeper, DISTILLATION, key);
      const begun = { settings: chosen, set: found, own: Object.keys(own) as SetState['own'], key };
      return await this.#start(begun, left?.start ?? brought?.start ?? null, left?.kept ?? nothingKept);
    });
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
      while (run.isWanted && !this.#begun().distillation.isDone) {
        await this.#iterateOnce();
        await this.#keep(false);
      }
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

  /** Ends `run`, and does some work that has the device to itself. */
  async #alone<Value>(work: (device: Device) => Promise<Value>): Promise<Value> {
    this.pause();
    return await this.#inTurn(() => this.#held.use(work));
  }

  async #iterateOnce(): Promise<void> {
    await this.#held.use(async () => {
      const { distillation } = this.#begun();
      const record = await distillation.step();
      const { images } = await distillation.read();
      this.#options.tell({ kind: 'iteration', record, images });
    });
  }

  /** Back to the first images. */
  async reset(): Promise<SetState> {
    return await this.#alone(async () => {
      const { begun, prepared } = this.#begun();
      const state = await this.#start(begun, prepared.start, nothingKept);
      await this.#keep(true);
      return state;
    });
  }

  /** Trains fresh students on several sets, and probes what they have learnt. */
  async probe(seeds: number): Promise<readonly ResultRow[]> {
    return await this.#alone(async (device) => {
      const { config, material, prepared, distillation } = this.#begun();
      const set = await distillation.read();
      return await probeSet({ device, config, material, prepared, set, seeds }, this.#told);
    });
  }

  /** Takes the hypergradient that the next iteration would move down, and tells what the way back leaves at each step. */
  async lookInside(): Promise<InsideGradient> {
    return await this.#alone(async (device) => {
      const { config, material, prepared, distillation } = this.#begun();
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
      const { config, material, prepared } = this.#begun();
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
    const { prepared, material } = this.#begun();
    return encodeSafetensors(
      new Map(syntheticTensors(await this.#read(), prepared.start, material.dataset.image)),
    );
  }

  /** The picture of start and set. */
  async picture(): Promise<ReturnType<typeof syntheticSheet>> {
    const { prepared, material } = this.#begun();
    return syntheticSheet(await this.#read(), prepared.start, material.dataset);
  }

  /**
   * Keeps a set in a file, and gives back the name by which `begin` distils it further.
   * @throws DataError for a file that is none, or one of other images.
   */
  async upload(settings: DistilSettings, file: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return await this.#alone(async (device) => {
      const set = await readBrought(device, configOf(settings), await this.#loaded(), file, bytes);
      const name = await nameOf(bytes);
      this.#brought.set(name, set);
      await keepOf(this.#options.keeper, BROUGHT, name, set);
      return name;
    });
  }

  /** @internal Destroys the device, as the reset of a driver does. */
  async loseDevice(): Promise<null> {
    const { gpu } = await this.#held.get();
    gpu.destroy();
    await gpu.lost;
    return null;
  }

  async #broughtAs(name: string): Promise<BroughtSet | undefined> {
    return this.#brought.get(name) ?? (await loadOf<BroughtSet>(this.#options.keeper, BROUGHT, name));
  }

  async #start(begun: Begun, givenStart: StartingSet | null, kept: Kept): Promise<SetState> {
    const { settings, set, own } = begun;
    const config = configOf(settings);
    const material = await this.#loaded();
    const trained = await this.#trainedFor(config, material);
    const start = givenStart ?? (await startFrom(config, material.dataset, trained));
    this.#work?.distillation.release();
    this.#work = null;
    const prepared = { ...trained, start };
    const device = await this.#held.get();
    const distillation = await Distillation.create(device, config, material.dataset, prepared, kept);
    this.#work = { begun, config, material, prepared, distillation, kept };
    const { images } = await distillation.read();
    return {
      settings,
      set,
      own,
      records: distillation.records,
      start: this.#table(start.images),
      now: this.#table(images),
    };
  }

  async #trainedFor(config: Config, material: Material): Promise<Trained> {
    const { seed } = config;
    if (this.#trained?.seed === seed) return this.#trained.trained;
    const { keeper } = this.#options;
    const device = await this.#held.get();
    // Another device has other bits, and what was trained on it would not be what this one trains.
    const key = `trained on ${device.adapter.name}`;
    const left = await keeper.load<SeedWork>(key);
    if (left?.seed === seed) this.#trained = left;
    else {
      const trained = await train(device, config, material, this.#told);
      this.#trained = { seed, trained };
      await keeper.save(key, this.#trained);
    }
    return this.#trained.trained;
  }

  #table(data: Float32Array): ImageTable {
    const { image, mean, deviation } = this.#begun().material.dataset;
    const count = data.length / image.reduce((product, extent) => product * extent, 1);
    return { data, count, image, mean, deviation };
  }

  #begun(): Work {
    if (this.#work === null) throw new HypergradError('Nothing has been begun yet.');
    return this.#work;
  }

  async #read(): Promise<SyntheticSet> {
    return await this.#held.use(() => this.#begun().distillation.read());
  }

  async #loaded(): Promise<Material> {
    this.#material ??= this.#options.load();
    return await this.#material;
  }

  /** Keeps what a page opened again, or another device, goes on from. */
  async #keep(isDue: boolean): Promise<void> {
    if (!isDue && performance.now() - this.#keptAt < KEEP_EVERY) return;
    const work = this.#begun();
    const kept = await this.#held.use(() => this.#begun().distillation.keep());
    this.#work = { ...this.#begun(), kept };
    this.#keptAt = performance.now();
    const left: KeptWork = { start: work.prepared.start, kept };
    await keepOf(this.#options.keeper, DISTILLATION, work.begun.key, left);
  }

  /** Brings the distillation back on another device, as it was kept. */
  async #restore(): Promise<void> {
    const device = await this.open();
    if (this.#work === null) return;
    const { begun, prepared, kept } = this.#work;
    const { records } = await this.#start(begun, prepared.start, kept);
    this.#options.tell({ kind: 'reopened', device, records });
  }
}
