import { isMainThread } from 'node:worker_threads';
import { ConfigError, DeviceError, DeviceTimeoutError, messageOf } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { Device } from '../device.js';
import { type AdapterKind, adapterKind, adapterName } from '../deviceRequest.js';
import { openingWaits, type Remedies } from '../waits.js';
import { bundledVulkan } from './bundledVulkan.js';
import { installCommand } from './optionalPackage.js';
import { patienceOf } from './patience.js';
import { patientWait } from './patientWait.js';
import { hasSystemAdapters, loadLibrary, withEnvironment } from './vulkanLoader.js';

const CHOICES = ['auto', 'hardware', 'software', 'bundled'] as const;

/**
 * Which device to open. `auto`: a hardware adapter, else the system's software Vulkan, else the bundled one.
 * `hardware`: a hardware adapter only. `software`: the system's software Vulkan, else the bundled one.
 * `bundled`: SwiftShader from the npm package `@sparticuz/chromium` only.
 */
export type DeviceChoice = (typeof CHOICES)[number];

/** Which device to open. */
export interface OpenDeviceOptions {
  /** Default: the environment variable HYPERGRAD_DEVICE, else `auto`. */
  readonly choice?: DeviceChoice;
  /** Part of the adapter's name, in any case; only adapters whose name holds it are opened. */
  readonly adapterName?: string;
  /** @internal Whether drivers are asked anew, rather than as they answered before: what a device that was lost needs. */
  readonly anew?: boolean;
}

type Source = 'hardware' | 'software' | 'bundled';

const SOURCES: Readonly<Record<DeviceChoice, readonly Source[]>> = {
  auto: ['hardware', 'software', 'bundled'],
  hardware: ['hardware'],
  software: ['software', 'bundled'],
  bundled: ['bundled'],
};

const SOURCE_NAMES: Readonly<Record<Source, string>> = {
  hardware: 'hardware adapter',
  software: "system's software Vulkan",
  bundled: 'bundled SwiftShader',
};

interface Candidate {
  readonly adapter: GPUAdapter;
  readonly bundled: boolean;
}

type CreateGpu = (flags: string[]) => GPU;

/** An adapter name that none has: asking for it makes Dawn's Node binding list those that there are. */
const NO_SUCH_ADAPTER = 'none, so that all are listed';

/**
 * Dawn's instances by what they were made with, kept for the life of the process: a device does not keep its
 * instance alive, and waiting or compiling crashes the process once the instance has been collected. An idle
 * instance does not keep the process from ending.
 */
const instances = new Map<string, GPU>();

/** Dawn coarsens timestamps against spying web pages, far beyond what a kernel takes; under Node there are none. */
const PRECISE_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

/** Instances that are asked no more. They stay, for the devices that were opened by them. */
const retired: GPU[] = [];

function retireInstances(): void {
  retired.push(...instances.values());
  instances.clear();
}

function instanceOf(create: CreateGpu, drivers: 'system' | 'bundled', flags: string[] = []): GPU {
  const key = [drivers, ...flags].join(' ');
  const known = instances.get(key);
  if (known) return known;
  const made = create([PRECISE_TIMESTAMPS, ...flags]);
  instances.set(key, made);
  return made;
}

function chooseFrom(options: OpenDeviceOptions): DeviceChoice {
  const fromEnvironment = options.choice === undefined;
  const value = options.choice ?? (process.env.HYPERGRAD_DEVICE || 'auto');
  const choice = CHOICES.find((known) => known === value);
  if (!choice) {
    const where = fromEnvironment ? 'the environment variable HYPERGRAD_DEVICE' : "openDevice's choice";
    throw new ConfigError(
      `Unknown device '${value}' in ${where}.${didYouMean(value, CHOICES)} Use one of ${CHOICES.join(', ')}.`,
    );
  }
  return choice;
}

/** Loads Dawn, and puts WebGPU's constants and classes on globalThis where they are missing. */
async function loadDawn(): Promise<CreateGpu> {
  try {
    const { create, globals } = await import('webgpu');
    for (const [name, value] of Object.entries(globals)) {
      if (!(name in globalThis)) {
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
      }
    }
    return create;
  } catch (cause) {
    throw new DeviceError(
      `The npm package 'webgpu' cannot be loaded on ${process.platform} ${process.arch} (${messageOf(cause)}). ` +
        'Install it again with `npm install`; on Linux it needs glibc.',
      { cause },
    );
  }
}

const REMEDIES: Remedies = {
  opening: 'Choose another device with the environment variable HYPERGRAD_DEVICE, or restart the driver.',
  working:
    'What was kept before stays. Run again, on another device or with smaller steps (a smaller batch); if it is only slow, ' +
    'set the environment variable HYPERGRAD_DEVICE_TIMEOUT to more seconds.',
};

/** An adapter, waited for only so long. */
function requestFrom(instance: GPU, options: GPURequestAdapterOptions = {}): Promise<GPUAdapter | null> {
  return openingWaits('driver', REMEDIES).bounded(
    instance.requestAdapter(options),
    'a device was looked for',
  );
}

/** Names as the drivers give them, such as `llvmpipe (LLVM 19.1.7, 256 bits)`. */
async function listAdapterNames(create: CreateGpu): Promise<string[]> {
  try {
    await requestFrom(instanceOf(create, 'system', [`adapter=${NO_SUCH_ADAPTER}`]));
    return [];
  } catch (error) {
    if (error instanceof DeviceTimeoutError) throw error;
    return [...messageOf(error).matchAll(/name: '(.*)'$/gm)].map((match) => match[1] ?? '');
  }
}

/** Letters and digits only, so that a name's punctuation, which differs between listings, does not matter. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

function hasName(adapter: GPUAdapter, wanted: string | undefined): boolean {
  return wanted === undefined || plain(adapterName(adapter.info)).includes(plain(wanted));
}

/** The adapters that the current drivers offer, best first, each looked for only when the one before is no use. */
async function* systemAdapters(create: CreateGpu): AsyncGenerator<GPUAdapter> {
  const preferred = await requestFrom(instanceOf(create, 'system'), {
    powerPreference: 'high-performance',
  });
  if (!preferred) return;
  yield preferred;
  const names = await listAdapterNames(create);
  if (names.length < 2) return;
  for (const name of names) {
    const adapter = await requestFrom(instanceOf(create, 'system', [`adapter=${name}`]));
    if (adapter) yield adapter;
  }
}

async function findSystemAdapter(
  create: CreateGpu,
  kind: AdapterKind,
  wanted: string | undefined,
): Promise<Candidate> {
  if (!hasSystemAdapters()) {
    throw new DeviceError('no Vulkan loader (libvulkan.so.1) is installed');
  }
  const seen = new Set<string>();
  for await (const adapter of systemAdapters(create)) {
    if (adapterKind(adapter.info) === kind && hasName(adapter, wanted)) return { adapter, bundled: false };
    seen.add(adapterName(adapter.info));
  }
  throw new DeviceError(
    seen.size === 0 ? 'no driver offers an adapter' : `none among ${[...seen].join('; ')}`,
  );
}

async function findBundledAdapter(create: CreateGpu, wanted: string | undefined): Promise<Candidate> {
  if (!isMainThread) {
    // A worker's process.env is a copy that native libraries do not see.
    throw new DeviceError('it can be opened from the main thread only');
  }
  const { loader, manifest } = await bundledVulkan();
  // A loader that is in the process already finds the bundled driver just as well.
  if (!hasSystemAdapters() && !loadLibrary(loader)) throw new DeviceError(`${loader} cannot be loaded`);
  const adapter = await withEnvironment({ VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest }, () =>
    requestFrom(instanceOf(create, 'bundled')),
  );
  if (!adapter) throw new DeviceError(`its driver ${manifest} offers no adapter`);
  if (!hasName(adapter, wanted)) throw new DeviceError(`its name is ${adapterName(adapter.info)}`);
  return { adapter, bundled: true };
}

async function findFrom(source: Source, create: CreateGpu, wanted: string | undefined): Promise<Candidate> {
  return source === 'bundled'
    ? await findBundledAdapter(create, wanted)
    : await findSystemAdapter(create, source, wanted);
}

/** Environment variables steer native libraries while a device is looked for: one search at a time. */
let lastSearch: Promise<unknown> = Promise.resolve();

/** What `use` makes of the first adapter that it can use. */
async function search<Result>(
  choice: DeviceChoice,
  wanted: string | undefined,
  use: (candidate: Candidate) => Promise<Result>,
): Promise<Result> {
  const create = await loadDawn();
  const reasons: string[] = [];
  for (const source of SOURCES[choice]) {
    try {
      return await use(await findFrom(source, create, wanted));
    } catch (error) {
      // Where a driver hangs, the next one is not waited for: the user says which to do without.
      if (error instanceof DeviceTimeoutError) throw error;
      reasons.push(`${SOURCE_NAMES[source]}: ${messageOf(error).replace(/\.$/, '')}`);
    }
  }
  const what = wanted === undefined ? 'No WebGPU device' : `No WebGPU device named '${wanted}'`;
  const remedy =
    choice === 'hardware'
      ? "Install the GPU's Vulkan driver, or ask for the device 'auto' to use a software one."
      : "Install the GPU's Vulkan driver, or a software one (on Debian: apt install libvulkan1 mesa-vulkan-drivers; " +
        `on Linux x64 also: ${installCommand('@sparticuz/chromium')}).`;
  throw new DeviceError(`${what} can be opened (${reasons.join('; ')}). ${remedy}`);
}

async function searchAlone<Result>(
  options: OpenDeviceOptions,
  use: (candidate: Candidate) => Promise<Result>,
): Promise<Result> {
  const choice = chooseFrom(options);
  const found = lastSearch.then(() => {
    if (options.anew) retireInstances();
    return search(choice, options.adapterName, use);
  });
  lastSearch = found.catch(() => undefined);
  return await found;
}

/**
 * Opens a WebGPU device under Node. Prints nothing; `describe()` of the result says what was opened.
 * @throws ConfigError for an unknown choice or value of HYPERGRAD_DEVICE_TIMEOUT, DeviceError when no device can be opened,
 * with what was tried.
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const patience = patienceOf();
  return await searchAlone(options, ({ adapter, bundled }) =>
    Device.fromAdapter(adapter, { bundled, waitFor: patientWait, patience, remedies: REMEDIES }),
  );
}

/**
 * A new adapter such as `openDevice` opens, for a library that opens its device itself.
 * @throws ConfigError and DeviceError as `openDevice` does.
 */
export async function findAdapter(options: OpenDeviceOptions = {}): Promise<GPUAdapter> {
  return await searchAlone(options, async ({ adapter }) => adapter);
}
