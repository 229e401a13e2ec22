import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar';
import { z } from 'zod';
import { DeviceError } from '../../errors.js';
import { cacheFolder, writableCacheFolder } from './cacheFolder.js';

const PACKAGE = '@sparticuz/chromium';
const ARCHIVE = join('bin', 'swiftshader.tar.br');
const LOADER = 'libvulkan.so.1';
const MANIFEST = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', LOADER, MANIFEST];
/** Written last: the size of each file, so that a folder cut short is told from a whole one. */
const SIZES = 'sizes.json';
const ABANDONED_AFTER_MS = 3_600_000;

/** The software Vulkan that comes with the package, unpacked. */
export interface BundledVulkan {
  /** Path of the Vulkan loader library. */
  readonly loader: string;
  /** Path of the driver's manifest, for VK_DRIVER_FILES and VK_ICD_FILENAMES. */
  readonly manifest: string;
}

async function findArchive(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new DeviceError(
      `the bundled SwiftShader is for Linux on x64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  let folder: string;
  try {
    folder = dirname(createRequire(import.meta.url).resolve(PACKAGE));
  } catch (cause) {
    throw new DeviceError(`the npm package '${PACKAGE}' is not installed`, { cause });
  }
  // The package's main file lies some folders below its root.
  for (let above = dirname(folder); folder !== above; folder = above, above = dirname(folder)) {
    const candidate = join(folder, ARCHIVE);
    if (await stat(candidate).catch(() => undefined)) return candidate;
  }
  throw new DeviceError(`the npm package '${PACKAGE}' has no ${ARCHIVE}`);
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const text = await readFile(join(folder, SIZES), 'utf8');
    const sizes = z.record(z.string(), z.number()).parse(JSON.parse(text));
    const found = await Promise.all(FILES.map(async (name) => (await stat(join(folder, name))).size));
    return FILES.every((name, index) => sizes[name] === found[index]);
  } catch {
    return false;
  }
}

/** Removes what processes that were killed while unpacking left behind. */
async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts && Date.now() - facts.mtimeMs > ABANDONED_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}

/**
 * Unpacks beside `target` and renames, so that `target` is whole or absent at any moment; when another process
 * renames first, its folder is used.
 */
async function unpack(archive: string, target: string): Promise<void> {
  const prefix = `${target}.part-`;
  await removeAbandoned(dirname(target), prefix.slice(dirname(target).length + 1)).catch(() => undefined);
  const part = await mkdtemp(prefix);
  try {
    await pipeline(
      createReadStream(archive),
      createBrotliDecompress(),
      extract({
        cwd: part,
        preserveOwner: false,
        filter: (path) => FILES.includes(path.replace(/^\.\//, '')),
      }),
    );
    const sizes: Record<string, number> = {};
    for (const name of FILES) sizes[name] = (await stat(join(part, name))).size;
    await writeFile(join(part, SIZES), `${JSON.stringify(sizes)}\n`);
    // A damaged folder under the final name is moved out of the way; a whole one stays, and wins.
    if ((await stat(target).catch(() => undefined)) && !(await isComplete(target))) {
      await rename(target, join(part, 'damaged')).catch(() => undefined);
    }
    await rename(part, target);
  } catch (cause) {
    if (!(await isComplete(target))) throw cause;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  await rm(join(target, 'damaged'), { recursive: true, force: true });
}

/**
 * The bundled SwiftShader, unpacked once into the cache folder under a name by the archive's hash.
 * @throws DeviceError with the reason as a clause ("the npm package … is not installed").
 */
export async function bundledVulkan(): Promise<BundledVulkan> {
  const archive = await findArchive();
  const hash = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  const name = `swiftshader-${hash.slice(0, 16)}`;
  let folder = join(cacheFolder(), name);
  if (!(await isComplete(folder))) {
    folder = join(await writableCacheFolder(), name);
    if (!(await isComplete(folder))) {
      try {
        await unpack(archive, folder);
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause);
        throw new DeviceError(`${archive} cannot be unpacked into ${folder} (${detail})`, { cause });
      }
    }
  }
  return { loader: join(folder, LOADER), manifest: join(folder, MANIFEST) };
}
