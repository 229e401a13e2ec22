/**
 * The distillation at hand, with all that it needs, on whichever device is given: where it lay on one that was lost, it is brought
 * back as it was kept.
 */
import { HypergradError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import type { StartingSet } from '../../src/pipeline/stages/starts.js';
import type { ImageTable, IterationRecord, SetState } from '../protocol.js';
import { configOf, type DistilSettings } from '../settings.js';
import { type BroughtSet, ownSettings, readBrought } from './brought.js';
import { Distillation, type Kept, nothingKept } from './distillation.js';
import {
  type Keeper,
  type KeptWork,
  keepOf,
  keyOf,
  loadOf,
  nameOf,
  type SeedWork,
  versionedKey,
  versionOf,
} from './keeper.js';
import { type Material, type Prepared, startFrom, type Told, type Trained, train } from './prepare.js';

// What is kept, by kinds.
const DISTILLATION = 'distillation';
const TRAINED = 'trained';
const BROUGHT = 'brought';

export interface WorkOptions {
  /** Reads the digits and the teacher. */
  load(): Promise<Material>;
  readonly keeper: Keeper;
  /** Told of what takes long. */
  readonly told: Told;
  /** Told of a distillation that was brought back. */
  restored(state: SetState): void;
}

interface Loaded extends Material {
  /** What is kept is kept under. */
  readonly version: string;
}

/** What a distillation was begun with. */
interface Begun {
  readonly settings: DistilSettings;
  /** Name of the brought set that it goes on from; null for the page's digits. */
  readonly brought: string | null;
  readonly own: SetState['own'];
  /** Name of the device whose bits it has. */
  readonly device: string;
  /** What it is kept by. */
  readonly key: string;
}

/** A distillation on a device. */
export interface Work {
  readonly device: Device;
  readonly begun: Begun;
  readonly config: Config;
  readonly material: Material;
  readonly prepared: Prepared;
  readonly distillation: Distillation;
}

/** Where a distillation stands, for the page. */
async function stateOf({ begun, material, prepared, distillation }: Work): Promise<SetState> {
  const { settings, brought, own } = begun;
  const { image, mean, deviation } = material.dataset;
  const { start } = prepared;
  const table = (data: Float32Array): ImageTable => ({ data, count: start.count, image, mean, deviation });
  const { images } = await distillation.read();
  return {
    settings,
    brought,
    own,
    records: [...distillation.records],
    start: table(start.images),
    now: table(images),
  };
}

export class HeldWork {
  readonly #options: WorkOptions;
  #material: Promise<Loaded> | null = null;
  #trained: { readonly key: string; readonly work: SeedWork } | null = null;
  #work: Work | null = null;
  /** What the distillation is brought back from. */
  #left: (KeptWork & { readonly begun: Begun }) | null = null;
  /** Sets that were brought in this visit, for browsers that keep nothing. */
  readonly #brought = new Map<string, BroughtSet>();

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** The iterations so far. Throws where nothing has been begun. */
  get records(): readonly IterationRecord[] {
    if (this.#work !== null) return this.#work.distillation.records;
    return this.#requireLeft().kept.records;
  }

  /**
   * Prepares a distillation, or goes on with the one of these settings that was kept.
   * @param name of a set that was brought and is distilled further; where it is not kept any more, the digits are
   */
  async begin(device: Device, settings: DistilSettings, name: string | null): Promise<SetState> {
    return await stateOf(await this.#begin(device, settings, name));
  }

  /** Back to the first images. */
  async reset(device: Device): Promise<SetState> {
    const { begun, prepared } = await this.on(device);
    return await stateOf(await this.#start(device, begun, prepared.start, nothingKept));
  }

  /** The distillation on this device. Throws where nothing has been begun. */
  async on(device: Device): Promise<Work> {
    if (this.#work?.device === device) return this.#work;
    const { begun, start, kept } = this.#requireLeft();
    // Another adapter has other bits: nothing of what this one is to go on with may come from there.
    const work =
      begun.device === device.adapter.name
        ? await this.#start(device, begun, start, kept)
        : await this.#begin(device, begun.settings, begun.brought);
    this.#options.restored(await stateOf(work));
    return work;
  }

  /** Keeps what a page opened again, or another device, goes on from. */
  async keep(device: Device): Promise<void> {
    const { begun, prepared, distillation } = await this.on(device);
    const left: KeptWork = { start: prepared.start, kept: await distillation.keep() };
    this.#left = { begun, ...left };
    await keepOf(this.#options.keeper, DISTILLATION, begun.key, left);
  }

  /**
   * Keeps a set in a file, and gives back the name by which `begin` distils it further.
   * @throws DataError for a file that is none, or one of other images.
   */
  async bring(
    device: Device,
    settings: DistilSettings,
    file: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<string> {
    const material = await this.#loaded();
    const set = await readBrought(device, configOf(settings), material, file, bytes);
    const name = await nameOf(bytes);
    this.#brought.set(name, set);
    await keepOf(this.#options.keeper, BROUGHT, versionedKey(material.version, name), set);
    return name;
  }

  #requireLeft(): KeptWork & { readonly begun: Begun } {
    if (this.#left === null) throw new HypergradError('Nothing has been begun yet.');
    return this.#left;
  }

  async #begin(device: Device, settings: DistilSettings, name: string | null): Promise<Work> {
    const { version } = await this.#loaded();
    const set = name === null ? undefined : await this.#broughtAs(version, name);
    const own = set === undefined ? {} : ownSettings(set);
    const chosen = { ...settings, ...own };
    const brought = set === undefined ? null : name;
    const key = keyOf(version, chosen, brought, device.adapter.name);
    const left = await loadOf<KeptWork>(this.#options.keeper, DISTILLATION, key);
    const begun: Begun = {
      settings: chosen,
      brought,
      own: Object.keys(own) as SetState['own'],
      device: device.adapter.name,
      key,
    };
    return await this.#start(device, begun, left?.start ?? set?.start ?? null, left?.kept ?? nothingKept);
  }

  async #start(device: Device, begun: Begun, givenStart: StartingSet | null, kept: Kept): Promise<Work> {
    const config = configOf(begun.settings);
    const material = await this.#loaded();
    const trained = await this.#trainedOn(device, config, material);
    const start = givenStart ?? (await startFrom(config, material.dataset, trained));
    // From here on this one is at hand, also where the device is lost before it is there.
    this.#left = { begun, start, kept };
    this.#work?.distillation.release();
    this.#work = null;
    const prepared = { ...trained, start };
    const distillation = await Distillation.create(device, config, material.dataset, prepared, kept);
    this.#work = { device, begun, config, material, prepared, distillation };
    return this.#work;
  }

  async #trainedOn(device: Device, config: Config, material: Loaded): Promise<Trained> {
    const { seed } = config;
    const { keeper, told } = this.#options;
    const key = versionedKey(material.version, device.adapter.name);
    if (this.#trained?.key === key && this.#trained.work.seed === seed) return this.#trained.work.trained;
    const left = await loadOf<SeedWork>(keeper, TRAINED, key);
    const work = left?.seed === seed ? left : { seed, trained: await train(device, config, material, told) };
    if (work !== left) await keepOf(keeper, TRAINED, key, work);
    this.#trained = { key, work };
    return work.trained;
  }

  async #broughtAs(version: string, name: string): Promise<BroughtSet | undefined> {
    const { keeper } = this.#options;
    return (
      this.#brought.get(name) ?? (await loadOf<BroughtSet>(keeper, BROUGHT, versionedKey(version, name)))
    );
  }

  /** What the page brings. A visitor whose network failed may ask again. */
  async #loaded(): Promise<Loaded> {
    this.#material ??= this.#load();
    try {
      return await this.#material;
    } catch (error) {
      this.#material = null;
      throw error;
    }
  }

  async #load(): Promise<Loaded> {
    const material = await this.#options.load();
    return { ...material, version: await versionOf(material) };
  }
}
