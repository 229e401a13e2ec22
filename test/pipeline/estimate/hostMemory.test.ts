import { expect, it } from 'vitest';
import { withProjector } from '../../../src/nn/selfSupervised.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { hostMemoryOf } from '../../../src/pipeline/estimate/hostMemory.js';
import { studentModel } from '../../../src/pipeline/stages/context.js';

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

it('counts the stages of the baseline on the self-supervised loss where a run has them, and not else', async () => {
  const bytesOf = async (...sets: string[]): Promise<Map<string, number>> => {
    const config = resolveConfig({ preset: 'tiny-test', sets: ['data.memory=0', ...sets] });
    const dataset = await loadDataset(config.data, config.seed);
    dataset.close();
    return new Map(hostMemoryOf(config, dataset).map(({ stage, bytes }) => [stage, bytes]));
  };
  expect([...(await bytesOf()).keys()]).toEqual([
    ...['teacher', 'targets', 'experts', 'subset', 'distil', 'evaluate'],
  ]);
  const found = await bytesOf('evaluate.rows=[mkdt, trajectoryMatchingOnSsl]');
  const config = resolveConfig({ preset: 'tiny-test', sets: [] });
  const student = studentModel({ config, dataset: { image: [1, 7, 7] } });
  const { total } = withProjector(student, config.teacher);
  // Two trajectories of 3 epochs and the start, and four arrays of 10 images.
  expect(found.get('selfSupervisedExperts')).toBe(2 * 4 * total * 4);
  expect(found.get('selfSupervised')).toBe(4 * 10 * 49 * 4);
});
