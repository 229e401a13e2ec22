import { mkdir, mkdtemp, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { DeviceError } from '../../errors.js';

/** The user's cache folder of this program: HYPERGRAD_CACHE, else the platform's place. Need not exist. */
export function cacheFolder(): string {
  const asked = process.env.HYPERGRAD_CACHE;
  return asked ? resolve(asked) : envPaths('hypergrad', { suffix: '' }).cache;
}

async function canWrite(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    await rmdir(await mkdtemp(join(folder, '.writable-')));
    return true;
  } catch {
    return false;
  }
}

/**
 * A folder of this user's own under the system's temporary folder, for when the cache cannot be written.
 * @throws DeviceError when neither can be written, or someone else owns it: code is loaded from it.
 */
async function temporaryFolder(): Promise<string> {
  // A number rather than a name: in a container the user may have no entry among those of the system.
  const folder = join(tmpdir(), `hypergrad-${process.getuid?.() ?? 'user'}`);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
  const facts = await stat(folder).catch(() => undefined);
  const own = facts !== undefined && (process.getuid === undefined || facts.uid === process.getuid());
  if (!own || !(await canWrite(folder))) {
    throw new DeviceError(
      `Neither the cache folder ${cacheFolder()} nor ${folder} can be written. Set HYPERGRAD_CACHE to a folder of yours.`,
    );
  }
  return folder;
}

/** The cache folder when it can be written, else a folder under the system's temporary one. */
export async function writableCacheFolder(): Promise<string> {
  const folder = cacheFolder();
  return (await canWrite(folder)) ? folder : await temporaryFolder();
}
