import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRun } from '../../../src/pipeline/check/checkRun.js';
import { meantRun } from '../../../src/pipeline/store/meantRun.js';
import { openToRead } from '../../../src/pipeline/store/readFolder.js';
import { RunWatcher } from '../../../src/pipeline/watch/snapshot.js';

const before = process.cwd();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-meant-'));
  for (const run of ['runs/mnist-small', 'elsewhere/second']) {
    mkdirSync(join(folder, run), { recursive: true });
    writeFileSync(join(folder, run, 'manifest.json'), '{}');
  }
  mkdirSync(join(folder, 'runs/mnist-smart'));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('a run that may be meant by a folder that is not there', () => {
  it('lies beside it, or in runs', () => {
    expect(meantRun('runs/mnits-small')).toBe(' Did you mean runs/mnist-small?');
    expect(meantRun('runs/mnits-small/')).toBe(' Did you mean runs/mnist-small?');
    expect(meantRun('mnist-small')).toBe(' Did you mean runs/mnist-small?');
    expect(meantRun('elsewhere/secnd')).toBe(' Did you mean elsewhere/second?');
  });

  it('is none where the folder is there, nothing is like it, or what is like it is no run', () => {
    expect(meantRun('runs/mnist-smart')).toBe('');
    expect(meantRun('runs/zzz')).toBe('');
    expect(meantRun('nowhere/mnist')).toBe(' Did you mean runs/mnist-small?');
    expect(meantRun('nowhere/zzz')).toBe('');
  });

  it('is named by what reads runs', async () => {
    const meant = /Did you mean runs\/mnist-small\?/;
    await expect(openToRead('runs/mnist-smal').readBytes('config.yaml')).rejects.toThrow(meant);
    await expect(checkRun('runs/mnist-smal')).rejects.toThrow(meant);
    await expect(RunWatcher.open('runs/mnist-smal')).rejects.toThrow(meant);
  });
});
