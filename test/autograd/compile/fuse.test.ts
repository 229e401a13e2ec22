import { describe, expect, it } from 'vitest';
import { chooseInlined, fusedInto, planWalk, writeChain } from '../../../src/autograd/compile/fuse.js';
import { add, exp, fill, mul, scale } from '../../../src/autograd/ops/elementwise.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, type Tape } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';

const tapeOf = (build: (a: Tensor, b: Tensor) => Record<string, Tensor>): Tape =>
  trace({ a: f32(4, 4), b: f32(4, 4) }, ({ a, b }) => build(a, b));

/** Names of the operations that get no memory of their own. */
const inlinedOf = (tape: Tape, most = 7): string[] =>
  [...chooseInlined(tape, most)].map((id) => tape.operations[id]!.name).sort();

describe('what is computed inside its consumer', () => {
  it('is a chain of elementwise operations, up to its end or the reduction behind it', () => {
    expect(inlinedOf(tapeOf((a, b) => ({ y: exp(mul(a, b)) })))).toEqual(['mul']);
    expect(inlinedOf(tapeOf((a, b) => ({ y: sumAll(exp(mul(a, b))) })))).toEqual(
      expect.arrayContaining(['exp', 'mul']),
    );
  });

  it('is nothing that is an output, or that an operation reads which holds no chain', () => {
    expect(inlinedOf(tapeOf((a, b) => ({ y: exp(mul(a, b)), z: mul(a, b) })))).toEqual([]);
    expect(inlinedOf(tapeOf((a, b) => ({ y: matmul(exp(a), b) })))).toEqual([]);
  });

  it('is computed twice where that costs no more than to load it', () => {
    const twice = (inner: (a: Tensor) => Tensor): string[] =>
      inlinedOf(
        tapeOf((a, b) => {
          const shared = inner(a);
          return { y: exp(add(shared, b)), z: exp(mul(shared, b)) };
        }),
      );
    expect(twice((a) => scale(a, 2))).toContain('scale');
    expect(twice((a) => add(a, a)).filter((name) => name === 'add')).toHaveLength(2);
    expect(twice(exp)).toEqual(['add', 'mul']);
  });

  it('is cut where a kernel could not bind what it reads', () => {
    const tape = trace(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, f32(4)])), (all) => ({
      y: exp(Object.values(all).reduce((total, each) => mul(exp(total), each))),
    }));
    const reads = (most: number): number[] => {
      const inlined = chooseInlined(tape, most);
      return tape.operations
        .filter(({ id, name }) => name !== 'input' && !inlined.has(id))
        .map(({ id }) => writeChain(tape, id, inlined, true).operands.length);
    };
    expect(reads(7)).toEqual([4]);
    const cut = reads(2);
    expect(cut.length).toBeGreaterThan(1);
    expect(Math.max(...cut)).toBeLessThanOrEqual(2);
  });
});

describe('the WGSL of a chain', () => {
  it('reads each tensor once, and counts what calculates something', () => {
    const tape = tapeOf((a, b) => ({ y: mul(add(a, b), add(a, fill(a, [4, 4], 2))) }));
    const inlined = chooseInlined(tape, 7);
    const root = tape.outputs.y!;
    const chain = writeChain(tape, root, inlined, true);
    expect(chain.operands.map((id) => tape.operations[id]!.name)).toEqual(['input', 'input']);
    expect(chain.statements.filter((line) => line.includes('load'))).toHaveLength(2);
    expect(chain.value).toBe(`v${root}`);
    expect(chain.operations).toBe(3);
    expect(fusedInto(tape, inlined, [root])).toEqual([...inlined].sort((a, b) => a - b));
  });
});

it('walks operands that broadcast by as few axes as there are ways to step', () => {
  const { extents, strides } = planWalk([2, 3, 4], [[2, 3, 4], [4], [2, 1, 1]]);
  expect(extents).toEqual([2, 3, 4]);
  expect(strides).toEqual([
    [12, 4, 1],
    [0, 0, 1],
    [1, 0, 0],
  ]);
  expect(planWalk([2, 3, 4], [[2, 3, 4]]).extents).toEqual([24]);
});
