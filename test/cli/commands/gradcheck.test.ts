import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { gradcheckCommand } from '../../../src/cli/commands/gradcheck.js';
import { ConfigError } from '../../../src/errors.js';
import { said } from '../../support/command.js';

const run = (...words: string[]): Promise<string> => said('gradcheck', ...words);

describe('hypergrad gradcheck', () => {
  const exitCode = process.exitCode;
  afterEach(() => {
    process.exitCode = exitCode;
  });

  it('prints every section for its default student, writes the numbers, and ends well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hypergrad-gradcheck-'));
    try {
      const file = join(folder, 'found.json');
      const text = await run('--steps', '2', '--json', file);
      for (const title of [
        'software device',
        'A gradient of a gradient',
        'Every gradient',
        'Memory modes',
        'Device memory by the number of steps',
        'Truncated to the last k steps',
      ]) {
        expect(text).toContain(title);
      }
      expect(text).toMatch(/all agree\n$/);
      expect(text).not.toContain('FAIL');
      expect(process.exitCode).toBe(0);
      const found = JSON.parse(await readFile(file, 'utf8'));
      expect(found).toMatchObject({ agrees: true, settings: { steps: 2, optimiser: 'sgd' } });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says which value does not fit', async () => {
    await expect(run('--steps', '0')).rejects.toThrow(ConfigError);
    await expect(run('--steps', '0')).rejects.toThrow(/--steps "0" must be a whole number of at least 1/);
    await expect(run('--seed', '-1')).rejects.toThrow(/--seed/);
    await expect(run('--preset', 'nosuch')).rejects.toThrow(/nosuch/);
    await expect(run('--set', 'student.width=0')).rejects.toThrow(ConfigError);
  });

  it('explains itself', () => {
    expect(gradcheckCommand().helpInformation()).toMatch(/--optimiser.*\n.*sgd/s);
  });
});
