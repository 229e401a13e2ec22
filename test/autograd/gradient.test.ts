import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import {
  add,
  exp,
  isPositive,
  mul,
  neg,
  relu,
  scale,
  stopGradient,
} from '../../src/autograd/ops/elementwise.js';
import { gather } from '../../src/autograd/ops/gather.js';
import { matmul } from '../../src/autograd/ops/matmul.js';
import { mse } from '../../src/autograd/ops/mse.js';
import { segment } from '../../src/autograd/ops/pack.js';
import { dot, sum, sumAll } from '../../src/autograd/ops/reduce.js';
import { print } from '../../src/autograd/print.js';
import { f32, i32 } from '../../src/autograd/tape.js';
import { Recorder, type Tensor, trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { expectNear, numbers } from '../support/compare.js';
import { expectDerivatives } from '../support/derivatives.js';

const EXACT = { relative: 1e-12, absolute: 1e-12 };

describe('gradient', () => {
  it('demands a scalar output, of shape []', () => {
    const attempt = (build: (a: Tensor) => Tensor) => () =>
      trace({ a: f32(3) }, ({ a }) => ({ d: gradient(build(a), [a])[0]! }));
    expect(attempt((a) => exp(a))).toThrow(ShapeError);
    expect(attempt((a) => exp(a))).toThrow(
      /shape \[3\]; differentiate a scalar of shape \[\], or give a cotangent/,
    );
    expect(attempt((a) => sum(a))).toThrow(/shape \[1\]/);
    expect(attempt((a) => sumAll(a))).not.toThrow();
  });

  it('takes a cotangent for other outputs, of the output’s shape only', () => {
    const tape = trace({ a: f32(3), c: f32(3) }, ({ a, c }) => ({
      d: gradient(exp(a), [a], { cotangent: c })[0]!,
    }));
    const inputs = { a: [0, 1, -1], c: [1, 2, 3] };
    expectNear(interpret(tape, inputs).d!, [1, 2 * Math.E, 3 / Math.E], EXACT);
    const wrong = () =>
      trace({ a: f32(3), c: f32(1) }, ({ a, c }) => ({ d: gradient(exp(a), [a], { cotangent: c })[0]! }));
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(/cotangent f32\[1\] must be f32\[3\]/);
  });

  it('refuses an input that the output does not depend on, and gives zeros when asked to', () => {
    const build = (unconnected?: 'zero') => () =>
      trace({ a: f32(3), b: f32(2, 2) }, ({ a, b }) => ({
        d: gradient(sumAll(exp(a)), [b], unconnected === undefined ? {} : { unconnected })[0]!,
      }));
    expect(build()).toThrow(ShapeError);
    expect(build()).toThrow(/does not depend differentiably on %1 f32\[2,2\].*unconnected: 'zero'/);
    const zeros = interpret(build('zero')(), { a: [1, 2, 3], b: [1, 2, 3, 4] });
    expect([...zeros.d!]).toEqual([0, 0, 0, 0]);
  });

  it('refuses tensors of another trace', () => {
    const inside = (build: (a: Tensor, other: Tensor) => Tensor) => () =>
      trace({ other: f32(3) }, ({ other }) => {
        trace({ a: f32(3) }, ({ a }) => ({ d: build(a, other) }));
        return { other };
      });
    const message = /^gradient: a tensor \[3\] belongs to another trace; pass it in as an input/;
    expect(inside((a, other) => gradient(sumAll(exp(a)), [other])[0]!)).toThrow(ShapeError);
    expect(inside((a, other) => gradient(sumAll(exp(a)), [other])[0]!)).toThrow(message);
    expect(inside((a, other) => gradient(exp(a), [a], { cotangent: other })[0]!)).toThrow(message);
  });

  it('refuses an input reached only through an index, a comparison or stopGradient', () => {
    const attempts: ((a: Tensor, index: Tensor) => Tensor)[] = [
      (a) => sumAll(isPositive(a)),
      (a) => sumAll(exp(stopGradient(a))),
      (a) => sumAll(mul(stopGradient(a), isPositive(a))),
    ];
    for (const build of attempts) {
      const tape = () =>
        trace({ a: f32(3), index: i32(2) }, ({ a, index }) => ({ d: gradient(build(a, index), [a])[0]! }));
      expect(tape).toThrow(/does not depend differentiably/);
    }
    const byIndex = () =>
      trace({ a: f32(3), index: i32(2) }, ({ a, index }) => ({
        d: gradient(sumAll(gather(a, index)), [index])[0]!,
      }));
    expect(byIndex).toThrow(/does not depend differentiably/);
  });

  it('lets nothing through stopGradient, and all through what lies beside it', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => ({
      d: gradient(sumAll(mul(stopGradient(exp(a)), a)), [a])[0]!,
    }));
    const a = [0.5, -1, 2];
    expectNear(interpret(tape, { a }).d!, a.map(Math.exp), EXACT);
  });

  it('adds up every path from an input to the output', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => ({
      d: gradient(sumAll(add(mul(a, a), add(scale(a, 3), neg(a)))), [a])[0]!,
    }));
    const a = [0.5, -1, 2];
    expectNear(
      interpret(tape, { a }).d!,
      a.map((x) => 2 * x + 2),
      EXACT,
    );
  });

  it('differentiates by a value in the middle of the tape, and by the output itself', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => {
      const middle = exp(a);
      const output = sumAll(mul(middle, middle));
      const [byMiddle, byItself] = gradient(output, [middle, output]) as [Tensor, Tensor];
      return { byMiddle, byItself };
    });
    const a = [0.5, -1, 2];
    const { byMiddle, byItself } = interpret(tape, { a });
    expectNear(
      byMiddle!,
      a.map((x) => 2 * Math.exp(x)),
      EXACT,
    );
    expect([...byItself!]).toEqual([1]);
  });

  it('gives the same tensor for an input named twice', () => {
    trace({ a: f32(3) }, ({ a }) => {
      const [first, second] = gradient(sumAll(exp(a)), [a, a]) as [Tensor, Tensor];
      expect(first.id).toBe(second.id);
      return { first };
    });
  });

  it('has the derivative 0 of the rectifier at 0', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => ({ d: gradient(sumAll(relu(a)), [a])[0]! }));
    expect([...interpret(tape, { a: [-1, 0, 1] }).d!]).toEqual([0, 0, 1]);
  });
});

describe('gradients of gradients', () => {
  const types = { p: f32(4, 3), x: f32(5, 3), y: f32(5, 4), v: f32(4, 3) };
  const values = {
    p: numbers(1, 'p', 12),
    x: numbers(1, 'x', 15),
    y: numbers(1, 'y', 20),
    v: numbers(1, 'v', 12),
  };
  const loss = (p: Tensor, x: Tensor, y: Tensor) => mse(relu(matmul(x, p, { transposeB: true })), y);

  it('treat no input of the inner one as a constant', () => {
    const tape = trace(types, ({ p, x, y, v }) => {
      const [inner] = gradient(loss(p, x, y), [p]) as [Tensor];
      const value = dot(inner, v);
      const [d_p, d_x, d_y] = gradient(value, [p, x, y]) as [Tensor, Tensor, Tensor];
      return { value, d_p, d_x, d_y };
    });
    expectDerivatives(tape, values, ['p', 'x', 'y']);
    const { d_x, d_y } = interpret(tape, values);
    expect(d_x!.some((value) => value !== 0)).toBe(true);
    expect(d_y!.some((value) => value !== 0)).toBe(true);
  });

  it('reach an input that only the inner gradient leads to', () => {
    const tape = trace(types, ({ p, x, y, v }) => {
      // The value depends on x through the gradient alone.
      const [inner] = gradient(loss(p, x, y), [p]) as [Tensor];
      const value = add(dot(inner, v), sumAll(exp(v)));
      const [d_x, d_v] = gradient(value, [x, v]) as [Tensor, Tensor];
      return { value, d_x, d_v };
    });
    expectDerivatives(tape, values, ['x', 'v']);
  });

  it('go on to the third order', () => {
    const tape = trace({ a: f32(4), v: f32(4) }, ({ a, v }) => {
      const [first] = gradient(sumAll(exp(mul(a, a))), [a]) as [Tensor];
      const [second] = gradient(dot(first, v), [a]) as [Tensor];
      const value = dot(second, v);
      return { value, d_a: gradient(value, [a])[0]! };
    });
    expectDerivatives(tape, { a: numbers(1, 'a', 4).map((x) => x / 2), v: numbers(1, 'v', 4) }, ['a']);
  });
});

describe('the gradient by a vector of parameters', () => {
  const lengths = [3, 5, 2, 4];
  const build = (theta: Tensor) => {
    let offset = 0;
    return lengths
      .map((length) => {
        const piece = segment(theta, offset, [length]);
        offset += length + 1;
        return sumAll(exp(piece));
      })
      .reduce((total, term) => add(total, term));
  };
  const total = lengths.reduce((sum, length) => sum + length + 1, 0);

  it('is one pack with all pieces in their places', () => {
    const tape = trace({ theta: f32(total) }, ({ theta }) => ({ d: gradient(build(theta), [theta])[0]! }));
    const packs = print(tape)
      .split('\n')
      .filter((line) => line.includes('= pack('));
    expect(packs).toHaveLength(1);
    expect(packs[0]).toContain('offsets=[0,4,10,13]');
    expect(tape.outputs.d).toBe(tape.operations.length - 1);

    const theta = numbers(1, 'theta', total);
    const padding = new Set([3, 9, 12, 17]);
    const want = Array.from(theta, (x, k) => (padding.has(k) ? 0 : Math.exp(x)));
    expectNear(interpret(tape, { theta }).d!, want, EXACT);
  });

  it('adds pieces that overlap instead', () => {
    const tape = trace({ theta: f32(6) }, ({ theta }) => {
      const value = add(sumAll(exp(segment(theta, 0, [4]))), sumAll(exp(segment(theta, 2, [4]))));
      return { value, d_theta: gradient(value, [theta])[0]! };
    });
    expectDerivatives(tape, { theta: numbers(1, 'theta', 6) }, ['theta']);
  });
});

describe('Recorder', () => {
  it('refuses an operand of another trace', () => {
    const other = new Recorder().input('a', f32(2));
    const mixed = () => trace({ b: f32(2) }, ({ b }) => ({ y: add(b, other) }));
    expect(mixed).toThrow(ShapeError);
    expect(mixed).toThrow(/another trace/);
  });
});
