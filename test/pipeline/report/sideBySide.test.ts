import { beforeAll, describe, expect, it } from 'vitest';
import { compareRuns } from '../../../src/pipeline/compare/compareRuns.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { evaluationOf } from '../../../src/pipeline/evaluate/record.js';
import { findingsOver, renderSideBySide } from '../../../src/pipeline/report/sideBySide.js';
import type { ReportInput } from '../../../src/pipeline/report/types.js';
import { input, result } from '../../support/reportInput.js';

/** Runs of one configuration but for the seed, or for more; MKDT is better by so much. */
function together(runs: readonly { name: string; seed: number; better: number; sets?: string[] }[]) {
  const comparison = compareRuns(
    runs.map(({ name, seed, better, sets = [] }) => ({
      name,
      device: 'some device',
      config: resolveConfig({ preset: 'tiny-test', seed, sets }),
      evaluation: evaluationOf(
        {
          rows: [
            { name: 'random subset', labels: 0.05, accuracies: [0.5, 0.6] },
            { name: 'MKDT', labels: 0.05, accuracies: [0.5 + better, 0.6 + better] },
          ],
          heldOut: [{ name: 'MKDT', errors: [0.1, 0.2] }],
        },
        [],
      ),
    })),
  );
  const reports: ReportInput[] = runs.map(({ name }) => ({
    ...input,
    command: `hypergrad run ${name}.yaml`,
  }));
  return { comparison, reports };
}

const SEEDS = [
  { name: 'first', seed: 1, better: 0.02 },
  { name: 'second', seed: 2, better: 0.06 },
];

describe('runs side by side in a page', () => {
  let page: string;
  beforeAll(async () => {
    page = (await renderSideBySide(together(SEEDS))).replaceAll('\u00a0', ' ');
  });

  it('say in their headline what they say together', () => {
    expect(page).toContain(
      'Over first, second, which differ in the seed alone: +4.0 ± 2.0 points of MKDT against the random subset with 5 % of the labels, n = 2 runs (mean paired difference ± deviation of the mean).',
    );
  });

  it('have a row or a column each in every table, and a line for their commands', () => {
    for (const { name, seed } of SEEDS) {
      expect(page).toContain(`<th scope="row">${name}</th><td>${seed}</td>`);
      expect(page).toContain(`<th scope="col">${name}</th>`);
      expect(page).toContain(`<code>hypergrad run ${name}.yaml</code>`);
    }
    expect(page).toContain('<th scope="col">over 2 runs</th>');
    expect(page).toContain('<th scope="row">MKDT − random subset, 5 %</th><td>2.0 ± 0.0 (n = 2)</td>');
    expect(page).toContain('<th scope="row">distil</th><td>5 min 23 s</td>');
  });

  it('have their curves over each other and their images below each other', () => {
    const figures = [...page.matchAll(/<svg role="img" aria-label="(.*?)".*?<\/svg>/gs)];
    expect(figures.map(([, label]) => label)).toEqual([
      expect.stringContaining('Test accuracy'),
      expect.stringContaining('Accuracy of MKDT minus'),
      'Trajectory loss of each run by iteration.',
      'Inner step α of each run by iteration.',
      'Minutes of each run, in parts by stage.',
    ]);
    for (const [svg] of figures) {
      expect(svg).not.toMatch(/NaN|undefined/);
      for (const { name } of SEEDS) expect(svg).toContain(`>${name}</text>`);
    }
    expect(page.match(/<img /g)).toHaveLength(6);
  });

  it('contain no scripts and ask for nothing, as the report of one run', () => {
    expect(page).toContain("default-src 'none'; style-src 'sha256-");
    expect(page).not.toMatch(/<script|javascript:|\son[a-z]+=|\sstyle=|https?:/i);
  });

  it('are told apart by the settings in which they differ, and by their devices', async () => {
    const others = together([
      SEEDS[0]!,
      { name: 'longer', seed: 1, better: 0, sets: ['distil.iterations=5'] },
    ]);
    const [own, other] = others.reports as [ReportInput, ReportInput];
    const hardware = { name: 'Some GPU', kind: 'hardware', bundled: false } as const;
    const differing = await renderSideBySide({
      comparison: others.comparison,
      reports: [own, { ...other, command: null, pictures: null, result: { ...result, device: hardware } }],
    });
    expect(differing).toContain('<th scope="col">distil.iterations</th>');
    expect(differing).toContain('No two of these runs differ in the seed alone');
    expect(differing).toContain('<td>Some GPU</td>');
    expect(differing).toContain('Computed on the devices that the first table names.');
    expect(differing).toContain('The run did not keep its command');
    expect(differing.match(/<img /g)).toHaveLength(3);
  });
});

it('says nothing over runs of data without labels', () => {
  const { comparison } = together(SEEDS);
  const [table] = comparison.tables;
  const unlabelled = { ...comparison, tables: [{ ...table!, rows: [], differences: [] }] };
  expect(findingsOver(unlabelled)).toEqual([expect.stringContaining('have no subset')]);
});
