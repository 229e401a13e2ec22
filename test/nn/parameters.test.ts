import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/autograd/interpret.js';
import { f32, sizeOf } from '../../src/autograd/tape.js';
import { trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { joinParameters, layOut, packParameters, splitParameters, unpack } from '../../src/nn/parameters.js';
import { numbers } from '../support/compare.js';

const start = 'uniform' as const;
const layout = layOut([
  { name: 'weight', shape: [5, 3, 3, 3], fanIn: 27, start },
  { name: 'bias', shape: [5], fanIn: 27, start },
  { name: 'exact', shape: [64], fanIn: 1, start },
  { name: 'head', shape: [2, 7], fanIn: 7, start },
]);
const tensors = Object.fromEntries(
  layout.entries.map(({ name, shape }) => [name, numbers(1, name, sizeOf(shape))]),
);
const theta = joinParameters(layout, tensors);

describe('layOut', () => {
  it('places tensors one after another where a device can bind them, and counts them without padding', () => {
    expect(layout.entries.map(({ offset }) => offset)).toEqual([0, 192, 256, 320]);
    expect(layout.total).toBe(384);
    expect(layout.count).toBe(135 + 5 + 64 + 14);
  });
});

describe('a vector of parameters', () => {
  it('is split into the tensors that it was joined from, with zeros between them', () => {
    expect(splitParameters(layout, theta)).toEqual(tensors);
    expect(theta.filter((value) => value !== 0)).toHaveLength(layout.count);
  });

  it('is split into views: what is written to them is in the vector', () => {
    const copy = theta.slice();
    splitParameters(layout, copy).bias![1] = 7;
    expect(copy[193]).toBe(7);
  });

  it('is not joined from too few numbers, too many or none, nor split where it is of another length', () => {
    const join = (bias?: Float32Array) => () =>
      joinParameters(layout, { ...tensors, bias } as Record<string, Float32Array>);
    expect(join(new Float32Array(4))).toThrow(
      new ShapeError("The tensor 'bias' has 4 elements, but the model has 5 there: [5]."),
    );
    expect(join(new Float32Array(6))).toThrow(/'bias' has 6 elements/);
    expect(join()).toThrow(/'bias' is missing/);
    expect(() => splitParameters(layout, theta.subarray(1))).toThrow(ShapeError);
  });

  it('is packed on a tape from what it is unpacked to', () => {
    const tape = trace({ theta: f32(layout.total) }, ({ theta }) => {
      const parts = unpack(layout, theta);
      return { packed: packParameters(layout, parts), ...parts };
    });
    const { packed, ...parts } = interpret(tape, { theta });
    expect([...packed!]).toEqual([...theta]);
    expect(Object.keys(parts)).toEqual(layout.entries.map(({ name }) => name));
    for (const { name, shape } of layout.entries) {
      expect([...parts[name]!]).toEqual([...tensors[name]!]);
      expect(tape.operations[tape.outputs[name]!]!.type.shape).toEqual(shape);
    }
  });
});
