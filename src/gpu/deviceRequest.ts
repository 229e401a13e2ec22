/** What a device is asked for when it is opened, and what it then says of itself. */

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
