import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setLayer } from '../../../src/pipeline/config/layers.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { plannedRuns } from '../../../src/pipeline/sweep/members.js';
import { MOST_MEMBERS, parseSweep } from '../../../src/pipeline/sweep/schema.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-members-'));
  writeFileSync(join(folder, 'base.yaml'), 'preset: tiny-test\ndistil: { iterations: 7 }\nseed: 5\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const expand = (text: string, sets: string[] = []) => {
  const path = join(folder, 'sweep.yaml');
  return plannedRuns({ file: parseSweep(text, path)!, path, layers: sets.map(setLayer) });
};

describe("a sweep's file", () => {
  it('is told from a configuration by its own fields', () => {
    expect(parseSweep('preset: tiny-test\n', 'a')).toBeNull();
    expect(parseSweep('preset: tiny-test\ndistil: { steps: 3 }\n', 'a')).toBeNull();
    expect(parseSweep('preset: tiny-test\nseeds: [1]\n', 'a')).toEqual({ preset: 'tiny-test', seeds: [1] });
  });

  it.each([
    ['seeds: [1, 1]', /seeds.*each once/],
    ['seeds: [-1]', /seeds/],
    ['seeds: 3', /seeds.*must be a list/],
    ['grid: { distil.steps: 3 }', /grid.*lists of values/],
    ['grid: { distil.steps: [] }', /grid.*lists of values/],
    ['list: { distil.steps: 3 }', /list.*must be a list/],
    ['grid: {}\nsteps: 3', /no field steps in a sweep.*config, grid or list/],
    ['grid: { a: [1]', /not valid YAML/],
    ['list: [{ name: ../up, distil.steps: 3 }]', /name.*becomes a folder/],
    ['list: [{ name: 3 }]', /name.*becomes a folder/],
    ['grid: { distil.steps: [1] }\nlist: [{ distil.steps: 2 }]', /both in grid and in list/],
    ['grid: { distil.stepps: [1] }', /no field distil\.stepps.*distil\.steps/],
    ['grid: { distil.steps: [0] }', /distil\.steps = 0 \(.*sweep\.yaml\)/],
    ['grid: { preset: [tiny] }', /no preset.*tiny-test/],
    ['from: nowhere.yaml\nseeds: [1]', /nowhere\.yaml does not exist/],
    ['grid: { seed: [1, 2] }', /seed \(.*sweep\.yaml\) stands in grid or list.*seeds: \[1, 2, 3\]/],
    ['list: [{ seed: 5 }]\nseeds: [1]', /stands in grid or list/],
    ['grid: { distil.steps: [20, 30, 20] }', /the run distil\.steps=20,seed=1 more than once/],
    ['list: [{ name: a, distil.steps: 2 }, { name: a, distil.steps: 2 }]', /the run a,seed=1 more than once/],
  ])('%j is refused with what is wrong and where', (text, message) => {
    expect(() => expand(text)).toThrow(message);
  });

  it('may not have runs without number', () => {
    const many = `[${Array.from({ length: 101 }, (_, k) => k + 1).join(', ')}]`;
    expect(() => expand(`grid: { distil.steps: ${many}, distil.iterations: ${many} }`)).toThrow(
      new RegExp(`10201 runs.*${MOST_MEMBERS}`),
    );
  });
});

describe('the runs of a sweep', () => {
  it('are every entry of the list with every combination of the grid and every seed', () => {
    const runs = expand(`
preset: tiny-test
list:
  - { distil.iterations: 5 }
  - { name: longer, distil.iterations: 9, distil.keep: best }
grid: { distil.steps: [1, 2], experts.count: [2, 3] }
seeds: [4, 7]
`);
    expect(runs).toHaveLength(16);
    expect(runs.slice(0, 3).map(({ name }) => name)).toEqual([
      'distil.iterations=5,distil.steps=1,experts.count=2,seed=4',
      'distil.iterations=5,distil.steps=1,experts.count=2,seed=7',
      'distil.iterations=5,distil.steps=1,experts.count=3,seed=4',
    ]);
    const last = runs.at(-1)!;
    expect(last.name).toBe('longer,distil.steps=2,experts.count=3,seed=7');
    expect(last.values).toEqual({
      'distil.iterations': 9,
      'distil.keep': 'best',
      'distil.steps': 2,
      'experts.count': 3,
    });
    expect(last.config).toEqual(
      resolveConfig({
        preset: 'tiny-test',
        seed: 7,
        sets: ['distil.iterations=9', 'distil.keep=best', 'distil.steps=2', 'experts.count=3'],
      }),
    );
  });

  it('begin with preset, then file, then fields, then --set, and the swept values win', () => {
    const text = 'from: base.yaml\nconfig: { distil: { steps: 1 } }\ngrid: { subset.fraction: [0.1, 0.2] }';
    const [first, second] = expand(text, ['distil.steps=2', 'subset.fraction=0.5']);
    expect(first!.config).toEqual(
      resolveConfig({
        preset: 'tiny-test',
        sets: ['distil.iterations=7', 'distil.steps=2', 'subset.fraction=0.1', 'seed=5'],
      }),
    );
    expect(second!.name).toBe('subset.fraction=0.2,seed=5');
  });

  it('may differ in their presets', () => {
    const runs = expand('grid: { preset: [tiny-test, mnist-small] }');
    expect(runs.map(({ config }) => config.data.train)).toEqual([200, 2000]);
    expect(runs.map(({ name }) => name)).toEqual(['preset=tiny-test,seed=1', 'preset=mnist-small,seed=1']);
  });

  it('have names that folders can have, and none twice', () => {
    const long = 'x'.repeat(150);
    const runs = expand(`preset: tiny-test\ngrid: { data.folder: [a/b, a b, /etc, ${long}1, ${long}2] }`);
    const names = runs.map(({ name }) => name);
    expect(new Set(names).size).toBe(5);
    for (const name of names) expect(name).toMatch(/^[\w.=,+-]{1,110}$/);
  });
});
