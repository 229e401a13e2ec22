import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-within-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe('a run folder of a stranger', () => {
  it('is not written through links that lead out of it, whatever lies there', async () => {
    const [outside, run] = [join(scratch, 'outside'), join(scratch, 'run')];
    await mkdir(outside);
    await writeFile(join(outside, 'precious'), 'mine');
    await mkdir(run);
    await symlink('../outside/precious', join(run, 'report.html'));
    await symlink('../outside', join(run, 'experts'));
    await symlink('../outside/precious', join(run, 'events.jsonl'));
    const folder = await RunFolder.open(run);
    try {
      const attempts = [
        () => folder.writeText('report.html', 'other'),
        () => folder.writeText('experts/precious', 'other'),
        () => folder.writeText('experts/new/deeper', 'other'),
        () => folder.disk.extend(folder.pathOf('events.jsonl'), 0, 'other'),
        () => folder.remove('experts/precious'),
      ];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.toThrow(StoreError);
        await expect(attempt()).rejects.toThrow(/leads out of the run folder .*Remove the link/);
      }
      expect(await readFile(join(outside, 'precious'), 'utf8')).toBe('mine');
      // The link itself lies in the folder.
      await folder.remove('report.html');
      await folder.writeText('report.html', 'own');
      expect(await readFile(join(run, 'report.html'), 'utf8')).toBe('own');
      expect(await readFile(join(outside, 'precious'), 'utf8')).toBe('mine');
    } finally {
      await folder.close();
    }
  });

  it.skipIf(process.platform === 'win32')(
    'does not wait for a pipe that stands for an artefact (POSIX only: mkfifo)',
    async () => {
      const run = join(scratch, 'pipes');
      const folder = await RunFolder.open(run);
      try {
        execFileSync('mkfifo', [join(run, 'teacher.safetensors')]);
        await expect(folder.readBytes('teacher.safetensors')).rejects.toThrow(/it is a pipe or a device/);
        await expect(folder.recordStage('teacher', '0'.repeat(64), ['teacher.safetensors'])).rejects.toThrow(
          /it is a pipe or a device/,
        );
      } finally {
        await folder.close();
      }
    },
  );

  it('may be a link itself', async () => {
    await mkdir(join(scratch, 'real'));
    await symlink('real', join(scratch, 'linked'));
    const folder = await RunFolder.open(join(scratch, 'linked'));
    try {
      await folder.writeText('experts/a', 'own');
      expect(await readFile(join(scratch, 'real/experts/a'), 'utf8')).toBe('own');
    } finally {
      await folder.close();
    }
  });
});
