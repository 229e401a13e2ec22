/** What libraries for browsers look for before they use WebGPU: a `navigator` whose adapter is the one that we measure on. */
import { availableParallelism } from 'node:os';
import { findAdapter } from '../../src/gpu/node/openDevice.js';

/** What a peer's device complained of since it was last asked. Libraries rarely look, and go on with nonsense. */
let fault: string | undefined;

async function requestAdapter(): Promise<GPUAdapter> {
  const adapter = await findAdapter();
  const requestDevice = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => {
    const device = await requestDevice(descriptor);
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      fault ??= event.error.message;
    });
    return device;
  };
  return adapter;
}

/** Puts a `navigator` with `gpu` on globalThis. A device must have been opened before: it brings WebGPU's other globals. */
export function provideNavigator(): void {
  const gpu = { requestAdapter, getPreferredCanvasFormat: () => 'bgra8unorm' as const };
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'Node.js', hardwareConcurrency: availableParallelism() },
    configurable: true,
    writable: true,
  });
}

/** @throws Error when a peer's device refused a command since the last call. */
export function requireNoFault(): void {
  const message = fault;
  fault = undefined;
  if (message !== undefined) throw new Error(`its WebGPU device refused a command: ${message}`);
}
