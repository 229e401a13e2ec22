import { join } from 'node:path';
import { unpackedOnce } from './bundledArchives.js';

const LOADER = 'libvulkan.so.1';
const MANIFEST = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', LOADER, MANIFEST];

/** The software Vulkan that comes with the package, unpacked. */
export interface BundledVulkan {
  /** Path of the Vulkan loader library. */
  readonly loader: string;
  /** Path of the driver's manifest, for VK_DRIVER_FILES and VK_ICD_FILENAMES. */
  readonly manifest: string;
}

/**
 * The bundled SwiftShader, unpacked once into the cache folder under a name by the archive's hash.
 * @throws DeviceError with the reason as a clause ("the npm package … is not installed").
 */
export async function bundledVulkan(): Promise<BundledVulkan> {
  const folder = await unpackedOnce('SwiftShader', [{ file: 'swiftshader.tar.br', only: FILES }]);
  return { loader: join(folder, LOADER), manifest: join(folder, MANIFEST) };
}
