import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writableCacheFolder } from '../../src/gpu/node/cacheFolder.js';

/** As where a container runs as a number that its system knows no user of. */
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)');
  },
}));

describe('the cache folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypergrad-cache-'));
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  it.skipIf(process.platform === 'win32')(
    'is one of the temporary folder where it cannot be written, also for a user without a name',
    async () => {
      const file = join(folder, 'a file');
      await writeFile(file, '');
      vi.stubEnv('HYPERGRAD_CACHE', join(file, 'below'));
      vi.stubEnv('TMPDIR', folder);
      await expect(writableCacheFolder()).resolves.toBe(join(folder, `hypergrad-${process.getuid!()}`));
    },
  );
});
