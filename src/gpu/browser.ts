import { ConfigError, DeviceError } from '../errors.js';
import { Device } from './device.js';
import { adapterKind, adapterName } from './deviceRequest.js';
import { openingWaits } from './waits.js';

const CHOICES = ['auto', 'hardware', 'software'] as const;

/**
 * Which of the browser's adapters to open. `auto`: the one that the browser prefers for speed, else its software one.
 * `hardware`: a hardware adapter only. `software`: the browser's software adapter only.
 */
export type BrowserDeviceChoice = (typeof CHOICES)[number];

/** How a device is opened in the browser. */
export interface BrowserDeviceOptions {
  /** Default: `auto`. */
  readonly choice?: BrowserDeviceChoice;
}

const REQUESTS: Readonly<Record<BrowserDeviceChoice, readonly GPURequestAdapterOptions[]>> = {
  auto: [{ powerPreference: 'high-performance' }, { forceFallbackAdapter: true }],
  hardware: [{ powerPreference: 'high-performance' }],
  software: [{ forceFallbackAdapter: true }],
};

function browserGpu(): GPU {
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  if (gpu) return gpu;
  if (globalThis.isSecureContext === false) {
    throw new DeviceError(
      'The browser gives WebGPU to secure pages only, and this page is none. Serve it by https, or from localhost.',
    );
  }
  throw new DeviceError(
    'There is no WebGPU here: navigator.gpu is missing. Use a browser that has it; under Node, open a device with ' +
      "openDevice from 'hypergrad/node'.",
  );
}

/**
 * Opens a WebGPU device in a browser's page or worker, with every limit that its adapter offers. A software adapter is
 * told from its name or `isFallbackAdapter`, and gets the block sizes, and so the bits, of a software device under Node.
 * @throws ConfigError for an unknown choice.
 * @throws DeviceError when the browser has no WebGPU, or no adapter of the kind asked for.
 * @throws DeviceTimeoutError when it does not answer for a minute.
 */
export async function openBrowserDevice({ choice = 'auto' }: BrowserDeviceOptions = {}): Promise<Device> {
  if (!CHOICES.includes(choice)) {
    throw new ConfigError(
      `Unknown device '${choice}' in openBrowserDevice's choice. Use one of ${CHOICES.join(', ')}.`,
    );
  }
  const gpu = browserGpu();
  const seen: string[] = [];
  for (const request of REQUESTS[choice]) {
    const adapter = await openingWaits('browser').bounded(
      gpu.requestAdapter(request),
      'a device was looked for',
    );
    if (!adapter) continue;
    const kind = adapterKind(adapter.info);
    if (choice === 'auto' || choice === kind) return await Device.fromAdapter(adapter, { bundled: false });
    seen.push(`${adapterName(adapter.info)}, which is ${kind}`);
  }
  const what = choice === 'auto' ? 'WebGPU adapter' : `${choice} adapter`;
  const found = seen.length > 0 ? `only ${seen.join('; ')}` : 'none';
  throw new DeviceError(
    `The browser offers no ${what} (${found}). Choose another kind of device, or see the browser's own page on its GPU ` +
      '(chrome://gpu, about:support) for the reason.',
  );
}
