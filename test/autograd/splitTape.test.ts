import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { add, broadcastTo, exp, mul, relu, scale, sub } from '../../src/autograd/ops/elementwise.js';
import { gather } from '../../src/autograd/ops/gather.js';
import { matmul } from '../../src/autograd/ops/matmul.js';
import { dot, reshape, sum } from '../../src/autograd/ops/reduce.js';
import { splitTape } from '../../src/autograd/splitTape.js';
import { f32, i32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { expectNear, numbers } from '../support/compare.js';

const EXACT = { relative: 1e-13, absolute: 1e-13 };

describe('splitTape', () => {
  it('gives two tapes that together compute what the whole one does', () => {
    const tape = trace(
      { table: f32(4, 3), rows: i32(2), w: f32(3, 3), cotangent: f32(2, 3) },
      ({ table, rows, w, cotangent }) => {
        const hidden = relu(matmul(gather(table, rows), w));
        const y = exp(scale(hidden, 0.5));
        const [dw, dTable] = gradient(dot(y, cotangent), [w, table]) as [Tensor, Tensor];
        return { y, dw, dTable };
      },
    );
    const inputs = {
      table: numbers(1, 'table', 12),
      rows: Int32Array.of(3, 1),
      w: numbers(1, 'w', 9),
      cotangent: numbers(1, 'cotangent', 6),
    };
    const { early, late, saved } = splitTape(tape, ['cotangent']);
    expect(Object.keys(early.inputs)).not.toContain('cotangent');
    expect(Object.keys(early.outputs)).toEqual(['y', ...saved]);
    expect(Object.keys(late.outputs)).toEqual(['dw', 'dTable']);
    // exp's output is kept or made again from the matrix product; the product itself is never computed twice.
    expect(late.operations.filter(({ name }) => name === 'matmul')).toHaveLength(2);
    const first = interpret(early, inputs);
    const second = interpret(late, { ...inputs, ...first });
    const whole = interpret(tape, inputs);
    for (const name of ['y', 'dw', 'dTable']) {
      expectNear({ ...first, ...second }[name]!, whole[name]!, EXACT, name);
    }
  });

  it('keeps what views and repetitions are made of, not them', () => {
    const tape = trace({ a: f32(3), late: f32(4, 3) }, ({ a, late }) => ({
      y: mul(broadcastTo(reshape(sum(mul(a, a)), [1, 1]), [4, 3]), late),
    }));
    const { early, late, saved } = splitTape(tape, ['late']);
    expect(saved).toHaveLength(1);
    const [kept] = saved as [string];
    expect(early.operations[early.outputs[kept]!]!.type.shape).toEqual([1]);
    expect(late.operations.map(({ name }) => name)).toContain('broadcastTo');
  });

  it('holds for random chains of operations', () => {
    const choice = fc.array(fc.record({ kind: fc.nat(4), left: fc.nat(100), right: fc.nat(100) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(choice, (steps) => {
        const tape = trace({ a: f32(2, 2), b: f32(2, 2), late: f32(2, 2) }, ({ a, b, late }) => {
          const values: Tensor[] = [a, b];
          for (const { kind, left, right } of steps) {
            const x = values[left % values.length]!;
            const y = kind === 4 ? late : values[right % values.length]!;
            const rules = [
              () => add(x, y),
              () => mul(x, y),
              () => matmul(x, y),
              () => relu(x),
              () => sub(x, y),
            ];
            values.push(scale(rules[kind]!(), 0.5));
          }
          return { early: values[2]!, last: mul(values.at(-1)!, late) };
        });
        const inputs = { a: numbers(1, 'a', 4), b: numbers(1, 'b', 4), late: numbers(1, 'late', 4) };
        const split = splitTape(tape, ['late']);
        const first = interpret(split.early, inputs);
        const second = interpret(split.late, { ...inputs, ...first });
        const whole = interpret(tape, inputs);
        for (const name of ['early', 'last']) {
          expectNear({ ...first, ...second }[name]!, whole[name]!, EXACT, name);
        }
      }),
      { seed: 20_240_104, numRuns: 60 },
    );
  });
});
