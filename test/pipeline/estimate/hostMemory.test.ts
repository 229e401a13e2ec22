import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { hostMemoryOf } from '../../../src/pipeline/estimate/hostMemory.js';

it('counts the pooled images, two bytes a value here, unless they lie in a file', async () => {
  const bytesOf = async (...sets: string[]): Promise<number> => {
    const config = resolveConfig({ preset: 'tiny-test', sets });
    const dataset = await loadDataset(config.data, config.seed);
    const teacher = hostMemoryOf(config, dataset).find(({ stage }) => stage === 'teacher')!;
    dataset.close();
    return teacher.bytes;
  };
  // 200 training and 200 test images of 7×7, pooled from 4×4 blocks of bytes.
  expect(await bytesOf()).toBe(400 * 49 * 2);
  expect(await bytesOf('data.memory=0.01')).toBe(0);
});
