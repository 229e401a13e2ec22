import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { conv2d } from '../../src/autograd/ops/conv2d.js';
import { exp, mul } from '../../src/autograd/ops/elementwise.js';
import { mean, reshape } from '../../src/autograd/ops/reduce.js';
import { f32 } from '../../src/autograd/tape.js';
import { gradientTape, jvpTape, selectOutputs } from '../../src/autograd/tapeTransforms.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { expectNear, inner, numbers } from '../support/compare.js';
import { expectDerivatives } from '../support/derivatives.js';

const EXACT = { relative: 1e-12, absolute: 1e-12 };

const types = { w: f32(2, 1, 3, 3), x: f32(1, 1, 5, 5) };
const lossOf = ({ w, x }: Record<'w' | 'x', Tensor>): Tensor =>
  reshape(mean(exp(conv2d(x, w, { padding: 1 }))), []);
const tape = trace(types, (all) => ({ loss: lossOf(all) }));
const values = { w: numbers(1, 'w', 18), x: numbers(1, 'x', 25) };

describe('gradientTape', () => {
  it('keeps the outputs of the tape and adds the derivatives', () => {
    const derived = gradientTape(tape, 'loss', ['w', 'x']);
    expect(Object.keys(derived.outputs)).toEqual(['loss', 'd_w', 'd_x']);
    expect(derived.inputs).toEqual(tape.inputs);
    expect(interpret(derived, values).loss).toEqual(interpret(tape, values).loss);
    const named = { ...derived, outputs: { ...derived.outputs, value: derived.outputs.loss! } };
    expectDerivatives(named, values, ['w', 'x']);
  });

  it('gives the second derivative when applied to its own output', () => {
    const square = trace({ a: f32() }, ({ a }) => ({ y: exp(mul(a, a)) }));
    const first = gradientTape(square, 'y', ['a']);
    const second = gradientTape({ ...first, outputs: { slope: first.outputs.d_a! } }, 'slope', ['a']);
    const a = 0.7;
    expectNear(interpret(second, { a: [a] }).d_a!, [(2 + 4 * a * a) * Math.exp(a * a)], EXACT);
  });

  it('names what the tape does not have', () => {
    expect(() => gradientTape(tape, 'cost', ['w'])).toThrow(ShapeError);
    expect(() => gradientTape(tape, 'cost', ['w'])).toThrow(/no output 'cost'; it has loss/);
    expect(() => gradientTape(tape, 'loss', ['z'])).toThrow(/no input 'z'; it has w, x/);
  });
});

describe('jvpTape', () => {
  it('adds tangents of inputs and outputs to a tape', () => {
    const derived = jvpTape(tape, ['loss'], ['w', 'x']);
    expect(Object.keys(derived.inputs)).toEqual(['w', 'x', 't_w', 't_x']);
    const directions = { t_w: numbers(2, 'w', 18), t_x: numbers(2, 'x', 25) };
    const { t_loss, loss } = interpret(derived, { ...values, ...directions });
    const gradients = trace(types, (all) => {
      const [w, x] = gradient(lossOf(all), [all.w, all.x]) as [Tensor, Tensor];
      return { w, x };
    });
    const { w, x } = interpret(gradients, values);
    expectNear(t_loss!, [inner(w!, directions.t_w) + inner(x!, directions.t_x)], EXACT);
    expect(loss).toEqual(interpret(tape, values).loss);
  });

  it('names what the tape does not have', () => {
    expect(() => jvpTape(tape, ['cost'], ['w'])).toThrow(/no output 'cost'; it has loss/);
    expect(() => selectOutputs(tape, ['toString'])).toThrow(/no output 'toString'/);
  });
});
