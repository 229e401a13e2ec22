/** What adapters say of themselves, and what a device is asked for when it is opened. */

const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups', 'shader-f16'];

/** Asked for alone where an adapter refuses its own full list of limits. */
const COMPUTE_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Drivers that run shaders on the processor, as their names or descriptions tell. */
const SOFTWARE_NAME = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Whether an adapter computes on a GPU or on the processor. */
export type AdapterKind = 'hardware' | 'software';

/** What an adapter computes on, as its name or the browser tells. */
export function adapterKind(info: GPUAdapterInfo): AdapterKind {
  const names = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || SOFTWARE_NAME.test(names) ? 'software' : 'hardware';
}

/** A name for people: the device, tidied of its separators, then the driver where it says more. */
export function adapterName(info: GPUAdapterInfo): string {
  const device = info.device.replace(/[-_]+/g, ' ').trim();
  const vendor = `${info.vendor} ${info.architecture}`.replace(/[-_]+/g, ' ').trim();
  const head = device || vendor;
  if (!info.description) return head || 'unnamed adapter';
  return head ? `${head} (${info.description})` : info.description;
}

function offeredLimits(limits: GPUSupportedLimits): Record<string, number> {
  const offered: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === 'number') offered[name] = value;
  }
  return offered;
}

/** Lanes of every subgroup; 1 where the device has no subgroups, or none of one size. */
export function lanesOf({ features, adapterInfo }: GPUDevice): number {
  const { subgroupMinSize = 1, subgroupMaxSize } = adapterInfo;
  return features.has('subgroups') && subgroupMinSize === subgroupMaxSize ? Math.max(1, subgroupMinSize) : 1;
}

/** Asks an adapter for a device with all that it offers. */
export async function requestWithAllLimits(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ requiredFeatures, requiredLimits: offeredLimits(adapter.limits) });
  } catch {
    // Some adapters list a limit that they do not accept as a request; these are the ones that kernels need.
    const requiredLimits = Object.fromEntries(COMPUTE_LIMITS.map((name) => [name, adapter.limits[name]]));
    return await adapter.requestDevice({ requiredFeatures, requiredLimits });
  }
}
