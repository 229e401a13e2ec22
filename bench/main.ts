/** `npm run bench [-- kernels | hypergradient]`: benny suites on the device that `openDevice` finds, named beside each. */
import { ConfigError, HypergradError } from '../src/errors.js';
import type { Device } from '../src/gpu/device.js';
import { openDevice } from '../src/gpu/node/openDevice.js';
import { hypergradientSuite } from './hypergradient.js';
import { kernelSuite } from './kernels.js';

const suites: Readonly<Record<string, (device: Device) => Promise<unknown>>> = {
  kernels: kernelSuite,
  hypergradient: hypergradientSuite,
};

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => suites[name] === undefined);
  if (unknown !== undefined) {
    throw new ConfigError(`There is no benchmark '${unknown}'; there are ${Object.keys(suites).join(', ')}.`);
  }
  const device = await openDevice();
  try {
    process.stdout.write(`${device.describe()}\n`);
    for (const name of names.length > 0 ? names : Object.keys(suites)) await suites[name]!(device);
  } finally {
    device.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof HypergradError ? error.message : String(error)}\n`);
  process.exitCode = error instanceof HypergradError ? error.exitCode : 1;
});
