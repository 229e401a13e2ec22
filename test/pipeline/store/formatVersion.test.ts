import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { files, readTensors, type StageContext, writeTensors } from '../../../src/pipeline/stages/context.js';
import { TRAJECTORY, Trajectories } from '../../../src/pipeline/stages/trajectories.js';
import { NewerFileError, requireVersion } from '../../../src/pipeline/store/formatVersion.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from '../../../src/pipeline/store/safetensors.js';

const tensors = new Map<string, NamedTensor>([['x', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }]]);

describe('a version', () => {
  it.each([undefined, 1, '1', 2, '2'])('%j is read by a program that knows version 2', (version) => {
    expect(() => requireVersion('file', version, 2)).not.toThrow();
  });

  it('that is newer is refused with what reads it', () => {
    expect(() => requireVersion('runs/a/file', '3', 2)).toThrow(
      new NewerFileError(
        'runs/a/file is of version 3, written by a newer hypergrad; this one reads versions up to 2. Use that hypergrad, or choose another folder with --out DIR.',
      ),
    );
  });

  it.each(['', 'two', 0, -1, 1.5, null, {}, 'Infinity'])('%j is damage', (version) => {
    expect(() => requireVersion('file', version, 2)).toThrow(/^file is damaged/);
  });
});

describe('a tensor file of a run', () => {
  let path: string;
  let folder: RunFolder;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'hypergrad-versions-'));
    folder = await RunFolder.open(path);
  });
  afterEach(async () => {
    await folder.close();
    await rm(path, { recursive: true });
  });

  it('carries its version', async () => {
    await writeTensors(folder, 'a.safetensors', tensors, { more: 'x' });
    const { metadata } = decodeSafetensors(await folder.readBytes('a.safetensors'), 'a');
    expect(metadata).toEqual({ more: 'x', version: '1' });
    expect((await readTensors(folder, 'a.safetensors'))('x').data).toEqual(Float32Array.of(1));
  });

  it('without one is of the first, as those of earlier runs', async () => {
    await folder.writeBytes('a.safetensors', encodeSafetensors(tensors));
    expect((await readTensors(folder, 'a.safetensors'))('x').data).toEqual(Float32Array.of(1));
  });

  it('of a newer version is refused, whole or read by position', async () => {
    await folder.writeBytes('a.safetensors', encodeSafetensors(tensors, { version: '2' }));
    await expect(readTensors(folder, 'a.safetensors')).rejects.toThrow(
      /version 2, written by a newer hypergrad/,
    );
    const trajectory = new Map([[TRAJECTORY, tensors.get('x')!]]);
    await folder.writeBytes(files.expert(0), encodeSafetensors(trajectory, { version: '2' }));
    const config = resolveConfig({ preset: 'tiny-test', sets: [] });
    const context = { config, folder, dataset: { image: [1, 7, 7] } } as unknown as StageContext;
    await expect(new Trajectories(context).checkpoint(0, 0)).rejects.toThrow(/written by a newer hypergrad/);
  });
});
