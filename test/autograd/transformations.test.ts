import { describe, expect, it } from 'vitest';
import { gradient, hvp, jvp, valueAndGradient, vjp } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { conv2d } from '../../src/autograd/ops/conv2d.js';
import { add, exp, isPositive, log, mul, relu, stopGradient } from '../../src/autograd/ops/elementwise.js';
import { gather } from '../../src/autograd/ops/gather.js';
import { instanceNorm } from '../../src/autograd/ops/instanceNorm.js';
import { linear } from '../../src/autograd/ops/matmul.js';
import { mse } from '../../src/autograd/ops/mse.js';
import { dot, reshape, sumAll } from '../../src/autograd/ops/reduce.js';
import { f32, i32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { expectNear, inner, numbers } from '../support/compare.js';
import { centralDifference, expectDerivatives } from '../support/derivatives.js';

const EXACT = { relative: 1e-12, absolute: 1e-12 };

/** A small network's loss: every kind of layer once. */
const types = {
  x: f32(2, 1, 5, 5),
  w: f32(3, 1, 3, 3),
  gamma: f32(3),
  beta: f32(3),
  head: f32(2, 75),
  bias: f32(2),
  y: f32(2, 2),
};
type Network = Record<keyof typeof types, Tensor>;
const network = ({ x, w, gamma, beta, head, bias, y }: Network): Tensor => {
  const hidden = relu(instanceNorm(conv2d(x, w, { padding: 1 }), gamma, beta));
  return mse(linear(reshape(hidden, [2, 75]), head, bias), y);
};
const values = Object.fromEntries(
  Object.entries(types).map(([name, { shape }]) => [
    name,
    numbers(
      1,
      name,
      shape.reduce((product, extent) => product * extent, 1),
    ),
  ]),
) as Record<keyof typeof types, Float32Array>;

describe('valueAndGradient', () => {
  it('gives the value and the gradient by every argument', () => {
    const tape = trace({ a: f32(3), b: f32(3) }, ({ a, b }) => {
      const { value, gradients } = valueAndGradient((p, q) => dot(exp(p!), q!), [a, b]);
      return { value, d_a: gradients[0]!, d_b: gradients[1]! };
    });
    expectDerivatives(tape, { a: [0, 1, -1], b: [1, 2, 3] }, ['a', 'b']);
  });

  it('nests', () => {
    const tape = trace({ a: f32() }, ({ a }) => {
      const cube = (p: Tensor) => mul(p, mul(p, p));
      const slope = (p: Tensor) => valueAndGradient((q) => cube(q!), [p]).gradients[0]!;
      const { value, gradients } = valueAndGradient((p) => slope(p!), [a]);
      return { value, second: gradients[0]! };
    });
    const { value, second } = interpret(tape, { a: [0.7] });
    expectNear([value![0]!, second![0]!], [3 * 0.49, 6 * 0.7], EXACT);
  });
});

describe('vjp', () => {
  it('adds up what flows back from several outputs', () => {
    const tape = trace({ a: f32(3), u: f32(3), v: f32() }, ({ a, u, v }) => ({
      back: vjp([exp(a), sumAll(mul(a, a))], [a], [u, v])[0]!,
    }));
    const inputs = { a: [0.5, 1, -1], u: [1, 2, 3], v: [0.3] };
    const want = inputs.a.map((x, i) => inputs.u[i]! * Math.exp(x) + 0.3 * 2 * x);
    expectNear(interpret(tape, inputs).back!, want, EXACT);
  });

  it('takes the same output twice, and an output that is an input', () => {
    const tape = trace({ a: f32(2), u: f32(2) }, ({ a, u }) => ({
      back: vjp([a, exp(a), exp(a)], [a], [u, u, u])[0]!,
    }));
    expectNear(interpret(tape, { a: [0, 1], u: [1, 1] }).back!, [3, 1 + 2 * Math.E], EXACT);
  });

  it('names what does not fit', () => {
    const attempt = (count: number, shape: number[]) => () =>
      trace({ a: f32(3), u: f32(...shape) }, ({ a, u }) => ({
        d: vjp(
          [exp(a)],
          [a],
          Array.from({ length: count }, () => u),
        )[0]!,
      }));
    expect(attempt(2, [3])).toThrow(/vjp: 2 cotangents were given for 1 tensors/);
    expect(attempt(1, [2])).toThrow(/vjp: the cotangent f32\[2\] must be f32\[3\]/);
  });
});

describe('jvp', () => {
  it('is the derivative of a network along a direction in all of its arguments', () => {
    const names = Object.keys(types) as (keyof typeof types)[];
    const tangents = Object.fromEntries(names.map((name) => [`t_${name}`, types[name]]));
    const tape = trace({ ...types, ...tangents } as Record<string, (typeof types)['x']>, (all) => {
      const network_ = network(all as Network);
      const [along] = jvp(
        [network_],
        names.map((name) => all[name]!),
        names.map((name) => all[`t_${name}`]!),
      ) as [Tensor];
      return { along };
    });
    const directions = Object.fromEntries(
      names.map((name) => [`t_${name}`, numbers(2, name, values[name].length)]),
    );
    const { along } = interpret(tape, { ...values, ...directions });
    const loss = trace(types, (all) => ({ loss: network(all) }));
    const difference = centralDifference(
      ([step]) =>
        interpret(
          loss,
          Object.fromEntries(
            names.map((name) => [
              name,
              Array.from(values[name], (x, i) => x + step! * directions[`t_${name}`]![i]!),
            ]),
          ),
        ).loss![0]!,
      [0],
      [1],
    );
    expect(Math.abs(along![0]! - difference)).toBeLessThanOrEqual(1e-6 * Math.abs(difference));
  });

  it('leaves none of the reverse sweep behind: as many convolutions as forward mode needs', () => {
    const tape = trace({ ...types, t_w: types.w }, (all) => ({
      along: jvp([network(all)], [all.w], [all.t_w])[0]!,
    }));
    const count = (name: string) => tape.operations.filter((operation) => operation.name === name).length;
    expect([count('conv2d'), count('conv2dInputGrad'), count('conv2dWeightGrad')]).toEqual([2, 0, 0]);
    const marks = tape.operations.filter(({ attributes }) => 'placeholder' in attributes);
    expect(marks).toEqual([]);
  });

  it('gives a tangent for each of several outputs, also where constants of their shape are about', () => {
    const tape = trace({ a: f32(2), index: i32(2), t: f32(2) }, ({ a, index, t }) => {
      const [first, second] = jvp([gather(exp(a), index), mul(a, a)], [a], [t]) as [Tensor, Tensor];
      return { first, second };
    });
    const { first, second } = interpret(tape, { a: [0, 1], index: [1, 1], t: [1, 2] });
    expectNear(first!, [2 * Math.E, 2 * Math.E], EXACT);
    expectNear(second!, [0, 4], EXACT);
  });

  it('refuses an output that none of the moved tensors reaches, and gives zeros when asked', () => {
    const build = (unconnected?: 'zero') => () =>
      trace({ a: f32(2), b: f32(3), t: f32(2) }, ({ a, b, t }) => ({
        d: jvp([exp(b)], [a], [t], unconnected === undefined ? {} : { unconnected })[0]!,
      }));
    expect(build()).toThrow(ShapeError);
    expect(build()).toThrow(/jvp: the output .*f32\[3\] depends differentiably on none.*unconnected: 'zero'/);
    expect([...interpret(build('zero')(), { a: [1, 2], b: [1, 2, 3], t: [1, 1] }).d!]).toEqual([0, 0, 0]);
    const wrong = () => trace({ a: f32(2), t: f32(3) }, ({ a, t }) => ({ d: jvp([exp(a)], [a], [t])[0]! }));
    expect(wrong).toThrow(/jvp: the tangent f32\[3\] must be f32\[2\]/);
  });

  it('differentiates further: forward over reverse and reverse over forward are one Hessian', () => {
    const tape = trace({ ...types, v: types.w }, ({ v, ...all }) => {
      const loss = network(all);
      const [g] = gradient(loss, [all.w]) as [Tensor];
      const [slope] = jvp([loss], [all.w], [v]) as [Tensor];
      return {
        reverseReverse: hvp(loss, [all.w], [v])[0]!,
        forwardReverse: jvp([g], [all.w], [v])[0]!,
        reverseForward: gradient(slope, [all.w])[0]!,
      };
    });
    const { reverseReverse, forwardReverse, reverseForward } = interpret(tape, {
      ...values,
      v: numbers(3, 'v', 27),
    });
    expectNear(forwardReverse!, reverseReverse!, EXACT);
    expectNear(reverseForward!, reverseReverse!, EXACT);
  });
});

describe('hvp', () => {
  it('is the difference of gradients along a direction, over several tensors together', () => {
    const tape = trace({ ...types, v: types.w, u: types.x }, ({ v, u, ...all }) => {
      const loss = network(all);
      const [g, gx] = gradient(loss, [all.w, all.x]) as [Tensor, Tensor];
      const [hw, hx] = hvp(loss, [all.w, all.x], [v, u]) as [Tensor, Tensor];
      return { g, gx, hw, hx };
    });
    const v = numbers(3, 'v', 27);
    const u = numbers(3, 'u', 50);
    const at = (step: number) => ({
      ...values,
      w: Array.from(values.w, (x, i) => x + step * v[i]!),
      x: Array.from(values.x, (x, i) => x + step * u[i]!),
      v,
      u,
    });
    const [plus, minus, here] = [
      interpret(tape, at(1e-5)),
      interpret(tape, at(-1e-5)),
      interpret(tape, at(0)),
    ];
    const difference = (name: string) =>
      Array.from(plus[name]!, (value, i) => (value - minus[name]![i]!) / 2e-5);
    expectNear(here.hw!, difference('g'), { relative: 1e-6, absolute: 1e-8 });
    expectNear(here.hx!, difference('gx'), { relative: 1e-6, absolute: 1e-8 });
  });

  it('takes the vectors as constants, also where they are made of what is differentiated', () => {
    const tape = trace({ a: f32(2) }, ({ a }) => ({ h: hvp(sumAll(mul(a, mul(a, a))), [a], [a])[0]! }));
    expectNear(interpret(tape, { a: [1, 2] }).h!, [6, 24], EXACT);
  });

  it('refuses what the loss is linear in', () => {
    const linearTape = () =>
      trace({ a: f32(2), v: f32(2) }, ({ a, v }) => ({ h: hvp(sumAll(a), [a], [v])[0]! }));
    expect(linearTape).toThrow(/hvp: the gradient does not depend on .*zero everywhere/);
  });
});

describe('a gradient of a gradient', () => {
  it('reaches images that the inner gradient did not ask for', () => {
    const tape = trace(types, (all) => {
      const [g] = gradient(network(all), [all.w]) as [Tensor];
      const value = dot(g, g);
      return { value, d_x: gradient(value, [all.x])[0]! };
    });
    expectDerivatives(tape, values, ['x']);
    expect(inner(interpret(tape, values).d_x!, interpret(tape, values).d_x!)).toBeGreaterThan(0);
  });

  it('reaches them also when the inner gradient is a function of both', () => {
    const penalty = (w: Tensor, x: Tensor, rest: Network): Tensor => {
      const { gradients } = valueAndGradient((inner_) => network({ ...rest, x, w: inner_! }), [w]);
      return dot(gradients[0]!, gradients[0]!);
    };
    const tape = trace(types, (all) => {
      const { value, gradients } = valueAndGradient((x) => penalty(all.w, x!, all), [all.x]);
      return { value, d_x: gradients[0]! };
    });
    expectDerivatives(tape, values, ['x']);
  });

  it('is an error, not zeros, through stopGradient or a comparison', () => {
    const through = (cut: (a: Tensor) => Tensor) => () =>
      trace({ a: f32(3) }, ({ a }) => ({ d: gradient(sumAll(cut(log(exp(a)))), [a])[0]! }));
    expect(through(stopGradient)).toThrow(/does not depend differentiably/);
    expect(through(isPositive)).toThrow(/does not depend differentiably/);
    expect(through((a) => add(a, stopGradient(a)))).not.toThrow();
  });
});
