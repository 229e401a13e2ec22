import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { remediesOf } from '../../../src/pipeline/estimate/remedies.js';

const ROWS = 'evaluate.rows=[mkdt, trajectoryMatchingOnSsl]';

describe('the remedies of a stage', () => {
  it.each<[Parameters<typeof remediesOf>[0], string[], string[]]>([
    ['distil', ['distil.memory=full'], ['distil.memory=mixed', 'distil.memory=recompute']],
    [
      'distil',
      ['distil.memory=full', 'distil.storage=float16'],
      ['distil.memory=mixed', 'distil.memory=recompute --set distil.storage=float32'],
    ],
    ['selfSupervisedExperts', ['selfSupervised.experts.batch=20'], ['selfSupervised.experts.batch=10']],
    ['selfSupervised', ['subset.fraction=0.1', 'selfSupervised.batch=16'], ['selfSupervised.batch=8']],
    [
      'evaluate',
      ['subset.fraction=0.1', 'evaluate.batch=16', 'evaluate.allData.batch=40'],
      [
        ...['evaluate.allData.batch=20', 'evaluate.allData.batch=10', 'evaluate.batch=8'],
        ...[20, 10].map((batch) => `evaluate.batch=8 --set evaluate.allData.batch=${batch}`),
      ],
    ],
  ])('%s, with %s, are configurations that their settings make', (stage, own, wanted) => {
    const sets = [ROWS, ...own];
    const found = [...remediesOf(stage, resolveConfig({ preset: 'tiny-test', sets }))];
    expect(found.map(({ setting }) => setting)).toEqual(wanted);
    for (const { setting, config } of found) {
      const changed = resolveConfig({ preset: 'tiny-test', sets: [...sets, ...setting.split(' --set ')] });
      expect(changed).toEqual(config);
    }
  });
});
