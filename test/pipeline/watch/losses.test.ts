import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { LossReader } from '../../../src/pipeline/watch/losses.js';

const config = resolveConfig({ preset: 'tiny-test', sets: [] });
let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-losses-'));
  path = join(folder, 'events.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (event: object) => `${JSON.stringify(event)}\n`;
const distil = (iteration: number, loss: number) =>
  line({ stage: 'distil', iteration, loss, innerStep: 0.1 + iteration });

describe('LossReader', () => {
  it('reads each event once, as it is written, and half a line when it is whole', async () => {
    const reader = new LossReader(path, config);
    await reader.poll();
    expect(reader.curves.size).toBe(0);
    writeFileSync(path, distil(0, 0.5));
    await reader.poll();
    await reader.poll();
    const whole = distil(1, 0.25);
    appendFileSync(path, whole.slice(0, 20));
    await reader.poll();
    expect(reader.curves.get('distil')).toEqual({ steps: [1], losses: [0.5] });
    appendFileSync(path, whole.slice(20));
    await reader.poll();
    expect(reader.curves.get('distil')).toEqual({ steps: [1, 2], losses: [0.5, 0.25] });
    expect(reader.innerSteps).toEqual([0.1, 1.1]);
  });

  it('counts steps, iterations, and the epochs of expert after expert', async () => {
    writeFileSync(
      path,
      line({ stage: 'teacher', step: 5, loss: 1 }) +
        line({ stage: 'experts', expert: 1, epoch: 2, loss: 2 }) +
        line({ stage: 'selfSupervisedExperts', expert: 1, epoch: 1, loss: 3 }),
    );
    const reader = new LossReader(path, config);
    await reader.poll();
    const { epochs } = config.experts;
    expect([...reader.curves].map(([stage, { steps }]) => [stage, ...steps])).toEqual([
      ['teacher', 5],
      ['experts', epochs + 2],
      ['selfSupervisedExperts', config.selfSupervised.experts.epochs + 1],
    ]);
  });

  it('begins anew where the file was written anew, longer than before or shorter', async () => {
    writeFileSync(path, distil(0, 9));
    const reader = new LossReader(path, config);
    await reader.poll();
    writeFileSync(join(folder, 'new'), distil(0, 1) + distil(1, 2) + distil(2, 3));
    renameSync(join(folder, 'new'), path);
    await reader.poll();
    expect(reader.curves.get('distil')?.losses).toEqual([1, 2, 3]);
    expect(reader.innerSteps).toHaveLength(3);
    writeFileSync(path, distil(0, 4));
    await reader.poll();
    expect(reader.curves.get('distil')?.losses).toEqual([4]);
  });

  it('reads past what is no event of a stage, and files larger than a piece', async () => {
    const rubbish = [
      'null',
      '[]',
      '7',
      '{',
      '{"stage":1,"loss":1,"step":1}',
      '{"stage":"a","loss":"b","step":1}',
    ];
    writeFileSync(path, `${rubbish.join('\n')}\n${'x'.repeat(3_000_000)}\n`);
    for (let iteration = 0; iteration < 30_000; iteration++) {
      if (iteration % 10_000 === 0) {
        appendFileSync(
          path,
          Array.from({ length: 10_000 }, (_, k) => distil(iteration + k, iteration + k)).join(''),
        );
      }
    }
    const reader = new LossReader(path, config);
    await reader.poll();
    expect([...reader.curves.keys()]).toEqual(['distil']);
    expect(reader.curves.get('distil')?.losses).toEqual([...Array(30_000).keys()]);
  });
});
