import { expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import {
  files,
  floatTensor,
  integerTensor,
  readFloats,
  readTensors,
} from '../../../src/pipeline/stages/context.js';
import { encodeSafetensors } from '../../../src/pipeline/store/safetensors.js';

const tensors = new Map([
  ['floats', floatTensor(Float32Array.of(1), 1)],
  ['integers', integerTensor(Int32Array.of(1), 1)],
]);
const folder = {
  pathOf: (name: string) => `run/${name}`,
  readBytes: async () => encodeSafetensors(tensors),
};

it('an artefact that lacks a tensor is told with the stage that makes it', async () => {
  const tensor = await readTensors(folder, files.targets);
  expect(tensor('floats').data).toEqual(Float32Array.of(1));
  expect(() => tensor('train')).toThrow(
    new StoreError(
      "run/targets.safetensors holds no tensor 'train'. Give the run's command again with --force targets.",
    ),
  );
});

it('numbers of another type are not taken for float32', async () => {
  expect(await readFloats(folder, files.subset, 'floats')).toEqual(Float32Array.of(1));
  await expect(readFloats(folder, files.subset, 'integers')).rejects.toThrow(
    /subset\.safetensors holds no float32 tensor 'integers'.*--force subset/,
  );
});
