import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { StoreError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { encodeEvaluation, evaluationOf } from '../../../src/pipeline/evaluate/record.js';
import { refusal, said } from '../../support/command.js';

let scratch = '';
const runs: string[] = [];
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-compare-command-'));
  for (const [seed, accuracy] of [
    [1, 0.5],
    [2, 0.7],
  ] as const) {
    const rows = [{ name: 'MKDT', labels: 0.05, accuracies: [accuracy, accuracy + 0.1] }];
    const files = {
      'config.yaml': stringify(resolveConfig({ preset: 'tiny-test', seed, sets: [] })),
      'evaluation.json': encodeEvaluation(evaluationOf({ rows, heldOut: [] }, [])),
      'result.json': JSON.stringify({
        ...{ version: 1, dataset: 'mnist', seconds: { distil: 1 } },
        device: { name: 'Some GPU', kind: 'hardware', bundled: false },
      }),
    };
    const folder = join(scratch, `seed-${seed}`);
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    runs.push(folder);
  }
});
afterAll(() => rmSync(scratch, { recursive: true }));

describe('hypergrad compare', () => {
  it('prints two runs in one table, and over both', async () => {
    const text = await said('compare', ...runs);
    expect(text).toContain('Test accuracy in % with 5 % of the labels');
    expect(text).toMatch(/^encoder +.*seed-1 +.*seed-2 +over 2 runs$/m);
    expect(text).toMatch(/^MKDT +55\.0 ± 5\.0 +75\.0 ± 5\.0 +65\.0 ± 10\.0$/m);
  });

  it('prints the numbers as CSV, and Markdown where that is asked for', async () => {
    const [head, ...lines] = (await said('compare', ...runs, '--csv')).trimEnd().split('\r\n');
    expect(head).toBe('measure,student,row,labels,group,run,seed,mean,deviation,n');
    const means = lines.map((line) => Number(line.split(',').at(-3)));
    expect(means).toEqual([0.55, 0.75, 0.65].map((mean) => expect.closeTo(mean, 9)));
    expect(lines[0]).toContain(`accuracy,,MKDT,0.05,1,${runs[0]},1,`);
    expect(await said('compare', ...runs, '--markdown')).toMatch(/^\| MKDT \| 55\.0 ± 5\.0 \|/m);
  });

  it('prints all of it as JSON', async () => {
    const comparison = JSON.parse(await said('compare', ...runs, '--json')) as {
      groups: unknown;
      runs: unknown[];
    };
    expect(comparison.groups).toMatchObject([{ seeds: [1, 2] }]);
    expect(comparison.runs).toHaveLength(2);
  });

  it('refuses a folder that is none of a finished run, and two forms at once', async () => {
    expect(await refusal('compare', runs[0]!, scratch)).toBeInstanceOf(StoreError);
    expect(await refusal('compare', ...runs, '--csv', '--json')).toMatchObject({
      exitCode: expect.any(Number),
    });
  });
});
