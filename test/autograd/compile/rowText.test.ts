/** Row programs as text, run here: what they use of WGSL means the same in JavaScript, but for the forms of its numbers. */
import { describe, expect, it } from 'vitest';
import type { PlaneGeometry } from '../../../src/autograd/compile/rowGeometry.js';
import { RowNodes } from '../../../src/autograd/compile/rowNodes.js';
import { type RowStore, writeRowProgram } from '../../../src/autograd/compile/rowText.js';
import type { RowValue } from '../../../src/autograd/operation.js';

/** Planes of 4×4 pixels, in windows of 2×2. */
const geometry: PlaneGeometry = { images: 1, channels: 1, fine: [4, 4], coarse: [2, 2], window: [2, 2] };
const x = Array.from({ length: 16 }, (_, k) => k * k);
const SIZES = { fine: 16, coarse: 4, row: 1 };

interface Ran {
  readonly body: string;
  readonly outputs: readonly (readonly number[])[];
}

/** Writes the program of some values of the plane x, and runs it. */
function run(
  build: (nodes: RowNodes, x: RowValue) => readonly RowValue[],
  unroll: number,
  loadCost = 4,
): Ran {
  const nodes = new RowNodes(geometry);
  const plane = nodes.load(0, 'fine');
  const values = build(nodes, plane);
  const stores = values.map(
    ({ node, domain }, k): RowStore => ({ node, domain, binding: `result${k}`, start: '0u' }),
  );
  const loads = new Map([[plane.node, { binding: 'x', start: '0u' }]]);
  const { body } = writeRowProgram({ nodes: nodes.nodes, geometry, loads, stores, unroll, loadCost });
  const outputs = values.map(({ domain }) => new Array<number>(SIZES[domain]).fill(Number.NaN));
  const script = body.replace(/\b(\d+)u\b/g, '$1').replace(/\bvar\b/g, 'let');
  new Function('f32', 'x', ...stores.map(({ binding }) => binding), script)(Math.fround, x, ...outputs);
  return { body, outputs };
}

const loopsOf = ({ body }: Ran): number => body.match(/\bfor \(var (i|column) /g)?.length ?? 0;
const centred = (nodes: RowNodes, plane: RowValue): RowValue =>
  nodes.map(([a, m]) => `(${a} - ${m})`, [plane, nodes.mean(plane)]);
const mean = x.reduce((sum, value) => sum + value, 0) / 16;

describe.each([1, 2, 4, 16])('a row program of at most %i pixels a turn', (unroll) => {
  it('sums a plane in one loop, and uses the sum in the next', () => {
    const ran = run((nodes, plane) => [centred(nodes, plane)], unroll);
    expect(ran.outputs).toEqual([x.map((value) => value - mean)]);
    expect(loopsOf(ran)).toBe(2);
  });

  it('takes windows and pixels in one loop', () => {
    const ran = run((nodes, plane) => {
      const pooled = nodes.windowMean(plane);
      return [pooled, nodes.map(([a, b]) => `(${a} - ${b})`, [plane, nodes.spread(pooled)])];
    }, unroll);
    const corners = [0, 2, 8, 10];
    const means = corners.map((at) => [0, 1, 4, 5].reduce((sum, by) => sum + x[at + by]!, 0) / 4);
    const windowOf = (k: number): number => 2 * Math.floor(k / 8) + Math.floor((k % 4) / 2);
    expect(ran.outputs).toEqual([means, x.map((value, k) => value - means[windowOf(k)]!)]);
    expect(loopsOf(ran)).toBe(1);
  });

  it('leaves one number a plane where only that is asked for', () => {
    const ran = run((nodes, plane) => [nodes.mean(plane)], unroll);
    expect(ran.outputs).toEqual([[mean]]);
    expect(loopsOf(ran)).toBe(1);
  });
});

it('reads again what it has stored where that is cheaper than to compute it', () => {
  const build = (nodes: RowNodes, plane: RowValue): RowValue[] => {
    let costly = plane;
    for (let k = 0; k < 5; k++) costly = nodes.map(([a]) => `(${a} * 0.5 + 1.0)`, [costly]);
    // The pixels themselves are read in both loops.
    const operands = [plane, costly, nodes.mean(costly)];
    return [costly, nodes.map(([a, b, m]) => `(${a} + ${b} - ${m})`, operands)];
  };
  const [cheap, dear] = [run(build, 4, 2), run(build, 4, 100)];
  expect(cheap.outputs).toEqual(dear.outputs);
  expect(cheap.body).toMatch(/= result0\[/);
  expect(dear.body).not.toMatch(/= result0\[/);
});
