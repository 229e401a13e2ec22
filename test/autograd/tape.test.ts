import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/autograd/interpret.js';
import { add, exp, mul, scale, shift } from '../../src/autograd/ops/elementwise.js';
import { definitionOf } from '../../src/autograd/ops/index.js';
import { sumAll } from '../../src/autograd/ops/reduce.js';
import { broadcastShapes, f32, type Tape } from '../../src/autograd/tape.js';
import { Recorder, trace } from '../../src/autograd/trace.js';
import { HypergradError, ShapeError } from '../../src/errors.js';

describe('trace', () => {
  it('records equal operations on equal inputs once', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => ({ y: add(exp(a), exp(a)) }));
    expect(tape.operations.map(({ name }) => name)).toEqual(['input', 'exp', 'add']);
  });

  it('keeps operations apart that differ in an attribute or in the order of operands', () => {
    const tape = trace({ a: f32(3), b: f32(3) }, ({ a, b }) => ({
      y: add(add(scale(a, 2), scale(a, 3)), add(add(a, b), add(b, a))),
    }));
    expect(tape.operations.filter(({ name }) => name === 'scale')).toHaveLength(2);
    expect(tape.operations.filter(({ name }) => name === 'add')).toHaveLength(5);
  });

  it('leaves out what no output needs, but keeps every input', () => {
    const tape = trace({ a: f32(3), unused: f32(2) }, ({ a }) => {
      exp(mul(a, a));
      return { y: shift(a, 1) };
    });
    expect(tape.operations.map(({ name }) => name)).toEqual(['input', 'input', 'shift']);
    expect(tape.inputs).toEqual({ a: 0, unused: 1 });
  });

  it('numbers the lines of a tape in order, each reading earlier ones only', () => {
    const { operations } = trace({ a: f32(2, 3) }, ({ a }) => ({ y: sumAll(exp(mul(a, scale(a, 2)))) }));
    operations.forEach(({ id, inputs }, line) => {
      expect(id).toBe(line);
      for (const input of inputs) expect(input).toBeLessThan(line);
    });
  });

  it('makes a tape that is plain data', () => {
    const tape = trace({ a: f32(2, 3) }, ({ a }) => ({ y: sumAll(exp(a)) }));
    const copy = JSON.parse(JSON.stringify(tape)) as Tape;
    const a = [1, 2, 3, 4, 5, 6];
    expect(interpret(copy, { a })).toEqual(interpret(tape, { a }));
  });

  it('refuses impossible extents, and an input declared twice', () => {
    for (const extent of [0, -1, 1.5, Number.NaN]) {
      expect(() => trace({ a: f32(2, extent) }, ({ a }) => ({ a }))).toThrow(ShapeError);
    }
    const recorder = new Recorder();
    recorder.input('a', f32());
    expect(() => recorder.input('a', f32())).toThrow(/'a' is declared twice/);
  });

  it('refuses an output that belongs to another trace', () => {
    const attempt = () =>
      trace({ x: f32(3) }, ({ x }) => {
        trace({ y: f32(2) }, ({ y }) => ({ y, x }));
        return { x };
      });
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(/^trace: output 'x' \[3\] belongs to another trace; pass it in as an input/);
  });
});

describe('broadcastShapes', () => {
  it('aligns shapes at the last axis', () => {
    expect(broadcastShapes([3, 1, 5], [4, 1], 'add')).toEqual([3, 4, 5]);
    expect(broadcastShapes([], [2, 1], 'add')).toEqual([2, 1]);
  });

  it('names both shapes when they do not fit', () => {
    expect(() => broadcastShapes([3, 2], [3], 'add')).toThrow(
      /add: shapes \[3,2\] and \[3\] do not broadcast/,
    );
  });
});

describe('interpret', () => {
  const tape = trace({ a: f32(2, 2) }, ({ a }) => ({ y: exp(a) }));

  it('refuses a missing input, or one of another length', () => {
    expect(() => interpret(tape, {})).toThrow(/input 'a' needs 4 numbers for \[2,2\]; none were given/);
    expect(() => interpret(tape, { a: [1, 2, 3] })).toThrow(/3 were given/);
  });

  it('gives outputs that later calls leave alone', () => {
    const first = interpret(tape, { a: [0, 0, 0, 0] }).y!;
    interpret(tape, { a: [1, 1, 1, 1] });
    expect([...first]).toEqual([1, 1, 1, 1]);
  });

  it('does not change its inputs', () => {
    const a = Float64Array.of(1, 2, 3, 4);
    interpret(
      trace({ a: f32(2, 2) }, ({ a }) => ({ y: a })),
      { a },
    ).y!.fill(0);
    expect([...a]).toEqual([1, 2, 3, 4]);
  });
});

it('names an operation that the engine does not know', () => {
  expect(() => definitionOf('convolve')).toThrow(HypergradError);
  expect(() => definitionOf('convolve')).toThrow(/'convolve'/);
});
