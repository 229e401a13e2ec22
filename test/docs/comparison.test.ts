import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const PAGE = 'docs/guide/comparison.md';
const COLUMNS = ['hypergrad', 'jax-js webgpu', 'tfjs webgpu', 'jax-js wasm', 'tfjs wasm', 'pytorch cpu'];

/** The tables of a benchmark page by their headings: the time of each side, or a dash. */
function timesOf(benchmarks: string): Map<string, Map<string, string>> {
  const sections = benchmarks.split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const heading = section.split('\n', 1)[0]!;
      const rows = [...section.matchAll(/^\| ([^|]+?) \| (?:(\S+) ± \S+|(–)) \|/gm)];
      return [heading, new Map(rows.map(([, side, time, none]) => [side!, time ?? none!]))];
    }),
  );
}

const cellsOf = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

it('compares with figures that are those of docs/benchmarks.md', () => {
  const page = readFileSync(PAGE, 'utf8');
  const benchmarks = readFileSync('docs/benchmarks.md', 'utf8');
  const times = timesOf(benchmarks);
  const cases = {
    'matrix product 384³': 'matmul 384³',
    'convolution 3×3, 32 → 32 channels, 16×16, batch 32':
      'convolution 3×3, 32 → 32 channels, 16×16, batch 32',
    'training step, width 8, depth 2, 16×16×3, batch 32': 'width 8, depth 2, 16×16×3, batch 32, 32 outputs',
    'hypergradient of 3 such steps': 'width 8, depth 2, 16×16×3, batch 32, 32 outputs, N = 3',
  };
  for (const [name, heading] of Object.entries(cases)) {
    const [, ...found] = cellsOf(page.split('\n').find((line) => line.startsWith(`| ${name} |`))!);
    const wanted = COLUMNS.map((side) => times.get(heading)!.get(side)!);
    expect(found, name).toEqual(wanted.map((time) => (time === '–' ? time : `${time} ms`)));
  }
  for (const [mode, row] of [
    ['recompute', '| `recompute` |'],
    ['mixed', '| `mixed`, 25 MiB |'],
    ['full', '| `full` |'],
  ] as const) {
    const [, time, memory] = cellsOf(page.split('\n').find((line) => line.startsWith(row))!);
    expect(benchmarks).toContain(`${mode}: time | ${time} |`);
    expect(benchmarks).toContain(`${mode}: memory | ${memory} |`);
  }
});
