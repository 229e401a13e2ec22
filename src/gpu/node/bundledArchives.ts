/**
 * The archives that the npm package `@sparticuz/chromium` carries: SwiftShader, and the browser that the engine is
 * tested in. Each set is unpacked once into the user's cache folder.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { z } from 'zod';
import { DeviceError, messageOf } from '../../errors.js';
import { cacheFolder, writableCacheFolder } from './cacheFolder.js';
import { resolveOptional } from './optionalPackage.js';

const PACKAGE = '@sparticuz/chromium';
/** Written last: the size of each file, so that a folder cut short is told from a whole one. */
const SIZES = 'sizes.json';
const ABANDONED_AFTER_MS = 3_600_000;

/** One file of the package's folder `bin`: `NAME.tar.br` holds several files, `NAME.br` the program NAME. */
export interface BundledArchive {
  readonly file: string;
  /** Files to take from a `.tar.br`; all of them when left out. */
  readonly only?: readonly string[];
}

async function findFolder(title: string): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new DeviceError(
      `the bundled ${title} is for Linux on x64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  let folder: string;
  try {
    folder = dirname(resolveOptional(PACKAGE));
  } catch (cause) {
    throw new DeviceError(`the npm package '${PACKAGE}' is not installed`, { cause });
  }
  // The package's main file lies some folders below its root, in folders with a package.json of their own.
  for (let above = dirname(folder); folder !== above; folder = above, above = dirname(folder)) {
    const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
    if (z.object({ name: z.literal(PACKAGE) }).safeParse(JSON.parse(manifest)).success)
      return join(folder, 'bin');
  }
  throw new DeviceError(`the npm package '${PACKAGE}' has no package.json of its own`);
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const text = await readFile(join(folder, SIZES), 'utf8');
    const sizes = Object.entries(z.record(z.string(), z.number()).parse(JSON.parse(text)));
    const found = await Promise.all(sizes.map(async ([name]) => (await stat(join(folder, name))).size));
    return sizes.every(([, size], index) => size === found[index]);
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

async function unpackArchive(folder: string, { file, only }: BundledArchive, into: string): Promise<void> {
  const wanted = (path: string): boolean => only?.includes(path.replace(/^\.\//, '')) ?? true;
  // Loaded only where there is something to unpack: once for an installation.
  const { extract } = await import('tar');
  await pipeline(
    createReadStream(join(folder, file)),
    createBrotliDecompress(),
    file.endsWith('.tar.br')
      ? extract({ cwd: into, preserveOwner: false, filter: wanted })
      : createWriteStream(join(into, basename(file, '.br')), { mode: 0o755 }),
  );
}

/** The size in bytes of every file below a folder, by its path from there. */
async function sizesBelow(folder: string): Promise<Record<string, number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sizes = files.map(async (path) => [relative(folder, path), (await stat(path)).size] as const);
  return Object.fromEntries(await Promise.all(sizes));
}

/**
 * Unpacks beside `target` and renames, so that `target` is whole or absent at any moment; when another process
 * renames first, its folder is used.
 */
async function unpack(folder: string, archives: readonly BundledArchive[], target: string): Promise<void> {
  const prefix = `${target}.part-`;
  await removeAbandoned(dirname(target), basename(prefix)).catch(() => undefined);
  const part = await mkdtemp(prefix);
  try {
    for (const archive of archives) await unpackArchive(folder, archive, part);
    const sizes = await sizesBelow(part);
    const missing = archives.flatMap(({ only }) => only ?? []).filter((name) => !(name in sizes));
    if (missing.length > 0) throw new Error(`${missing.join(', ')} missing`);
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
 * A folder with the archives' files, unpacked once into the cache folder under a name by the archives' hash. Any number
 * of processes may ask at once.
 * @param title what it is, for the folder's name and for messages.
 * @throws DeviceError with the reason as a clause ("the npm package … is not installed").
 */
export async function unpackedOnce(title: string, archives: readonly BundledArchive[]): Promise<string> {
  const from = await findFolder(title);
  const hash = createHash('sha256');
  for (const { file } of archives) {
    const bytes = await readFile(join(from, file)).catch((cause: unknown) => {
      throw new DeviceError(`the npm package '${PACKAGE}' has no ${join('bin', file)}`, { cause });
    });
    hash.update(bytes);
  }
  const name = `${title.toLowerCase()}-${hash.digest('hex').slice(0, 16)}`;
  const known = join(cacheFolder(), name);
  if (await isComplete(known)) return known;
  const target = join(await writableCacheFolder(), name);
  if (await isComplete(target)) return target;
  try {
    await unpack(from, archives, target);
  } catch (cause) {
    const what = archives.map(({ file }) => file).join(', ');
    throw new DeviceError(`${what} in ${from} cannot be unpacked into ${target} (${messageOf(cause)})`, {
      cause,
    });
  }
  return target;
}
