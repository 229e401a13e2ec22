import { describe, expect, it } from 'vitest';
import { type ComparedRun, compareRuns } from '../../../src/pipeline/compare/compareRuns.js';
import { comparisonCsv, comparisonMarkdown, comparisonText } from '../../../src/pipeline/compare/tables.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { evaluationOf } from '../../../src/pipeline/evaluate/record.js';

const HOSTILE = 'runs/a|b,"c"';

function run(name: string, seed: number, shift: number): ComparedRun {
  const table = {
    rows: [
      { name: 'random subset', labels: 0.01, accuracies: [0.5, 0.6] },
      { name: 'MKDT', labels: 0.01, accuracies: [0.5 + shift, 0.62 + shift] },
    ],
    heldOut: [{ name: 'MKDT', errors: [0.01, 0.03] }],
  };
  const transfer = [{ student: { architecture: 'mlp' as const, depth: 1, width: 2 }, ...table }];
  return {
    name,
    config: resolveConfig({ preset: 'tiny-test', seed, sets: [] }),
    device: 'made up',
    evaluation: evaluationOf(table, transfer),
  };
}

const comparison = compareRuns([run('runs/one', 1, 0.1), run(HOSTILE, 2, -0.2)]);
const spaces = (text: string) => text.replaceAll('\u00a0', ' ');

describe('a comparison', () => {
  it('is aligned text for the terminal, with runs side by side and over both', () => {
    const text = spaces(comparisonText(comparison));
    expect(text).toContain(`Data: mnist\nruns/one, ${HOSTILE}: seeds 1, 2\nA run: mean ± population`);
    expect(text).toContain(
      [
        'Test accuracy in % with 1 % of the labels',
        `encoder          runs/one  ${HOSTILE}  over 2 runs`,
        'random subset  55.0 ± 5.0    55.0 ± 5.0   55.0 ± 0.0',
        'MKDT           66.0 ± 6.0    36.0 ± 6.0  51.0 ± 15.0',
      ].join('\n'),
    );
    expect(text).toContain(
      'MKDT − random subset, 1 %  11.0 ± 1.0 (n = 2)  −19.0 ± 1.0 (n = 2)  −4.0 ± 15.0 (n = 2)',
    );
    expect(text).toContain('(equation 3) (MLP, 1 layer of 2)');
  });

  it('says over how many runs a figure is where not all of them measured it', () => {
    const third = run('runs/third', 3, 0.1);
    const { rows } = third.evaluation;
    const lacking = {
      ...third,
      evaluation: { ...third.evaluation, rows: rows.filter(({ name }) => name === 'MKDT') },
    };
    const text = spaces(comparisonText(compareRuns([run('one', 1, 0.1), run('two', 2, -0.2), lacking])));
    expect(text).toMatch(/\nrandom subset .* 55\.0 ± 0\.0 \(n = 2\)\n/);
    expect(text).toMatch(/\nMKDT .* 56\.0 ± 14\.1\n/);
  });

  it('comes in parts where a table is wider than a line', () => {
    const lines = spaces(comparisonText(comparison, 60)).split('\n');
    const rows = lines.filter((line) => /^(encoder|difference|MKDT|random) ?.* {2}/.test(line));
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(60);
    expect(lines.filter((line) => line.startsWith('difference ')).length).toBeGreaterThan(2);
  });

  it('is Markdown whose cells no name can break', () => {
    const markdown = spaces(comparisonMarkdown(comparison));
    const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
    for (const line of rows) expect(line.match(/(?<!\\)\|/g)).toHaveLength(5);
    expect(markdown).toContain(
      '| encoder | runs/one | runs/a\\|b,"c" | over 2 runs |\n|---|---:|---:|---:|\n',
    );
    expect(markdown).toContain('| MKDT | 66.0 ± 6.0 | 36.0 ± 6.0 | 51.0 ± 15.0 |');
    expect(markdown).toContain('\n### MLP, 1 layer of 2\n');
  });

  it('is CSV of full numbers, quoted where it must be', () => {
    const lines = comparisonCsv(comparison).split('\r\n');
    expect(lines[0]).toBe('measure,student,row,labels,group,run,seed,mean,deviation,n');
    expect(lines.at(-1)).toBe('');
    expect(lines).toContain(
      `accuracy,,random subset,0.01,1,runs/one,1,${(0.5 + 0.6) / 2},${Math.sqrt(((0.5 - 0.55) ** 2 + (0.6 - 0.55) ** 2) / 2)},2`,
    );
    expect(lines.filter((line) => line.includes('"runs/a|b,""c"""'))).toHaveLength(8);
    const group = lines.filter((line) =>
      line.startsWith('difference,"MLP, 1 layer of 2",MKDT − random subset,0.01,1,,,'),
    );
    expect(group).toHaveLength(1);
    expect(Number(group[0]!.split(',').at(-3))).toBeCloseTo(-0.04, 12);
  });
});
