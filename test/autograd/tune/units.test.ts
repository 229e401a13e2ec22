import { describe, expect, it } from 'vitest';
import { type Dispatch, lowerTape } from '../../../src/autograd/compile/lower.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { add, mul, relu } from '../../../src/autograd/ops/elementwise.js';
import { gather } from '../../../src/autograd/ops/gather.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, i32, type Tape, typeText } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { launchKey, unitsOf } from '../../../src/autograd/tune/units.js';
import { numbers } from '../../support/compare.js';
import { targetWith } from '../../support/lowered.js';
import { reverseTape } from '../../support/tinyUnroll.js';

const once = (tape: Tape, runs = 1) => [{ name: 'made', tape, runs }];
const target = targetWith();

/** Kernels with their code, each once; values in a chain are called after their lines on the tape, and here v0, v1, … */
const codesOf = (tape: Tape, counts: (dispatch: Dispatch) => boolean = () => true): Set<string> =>
  new Set(
    lowerTape(tape, target)
      .dispatches.filter(counts)
      .map(({ code }) => {
        const names = [...new Set(code.match(/\bv\d+\b/g))];
        return code.replace(/\bv\d+\b/g, (name) => `v${names.indexOf(name)}`);
      }),
  );

describe('units', () => {
  it('are the launches of the whole tape but its row programs: the same code, chains fused as they are there', () => {
    const tape = reverseTape();
    const units = unitsOf(once(tape), target);
    const whole = codesOf(tape);
    const cut = new Set(units.flatMap((unit) => [...codesOf(unit.tape)]));
    expect(whole.size).toBeGreaterThan(10);
    const ofRows = codesOf(tape, ({ kernel }) => kernel === 'rowProgram' || kernel === 'channelSums');
    expect([...whole].filter((code) => !cut.has(code) && !ofRows.has(code))).toEqual([]);
    // Where an accumulator may be changed in place the whole tape copies nothing; a unit does.
    const extra = [...cut].filter((code) => !whole.has(code));
    expect(extra.length).toBeLessThan(whole.size / 4);
  });

  it('hold what is computed inside the kernel, and read the rest', () => {
    const tape = trace({ a: f32(3, 4), b: f32(4, 5), c: f32(3, 5) }, ({ a, b, c }) => ({
      y: sumAll(relu(add(mul(matmul(a, b), c), c))),
    }));
    const units = unitsOf(once(tape), target);
    expect(units.map(({ operation }) => operation)).toEqual(['matmul', 'sum']);
    const [product, total] = units as [(typeof units)[0], (typeof units)[0]];
    expect([...product.kernels]).toContain('matmul');
    expect(total.tape.operations.filter(({ name }) => name === 'input')).toHaveLength(2);
    expect(total.tape.operations.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['mul', 'add', 'relu']),
    );
  });

  it('compute what their part of the tape computes', () => {
    const tape = trace({ a: f32(7), b: f32(7) }, ({ a, b }) => ({ y: relu(add(mul(a, b), b)) }));
    const [unit] = unitsOf(once(tape), target);
    const [a, b] = [numbers(1, 'a', 7), numbers(1, 'b', 7)];
    const whole = interpret(tape, { a, b }).y!;
    const cut = interpret(unit!.tape, operandsOf(unit!.tape, tape, { a, b })).result!;
    expect(Array.from(cut)).toEqual(Array.from(whole));
  });

  it('are counted over all tapes, by how often these run', () => {
    const product = trace({ a: f32(3, 4), b: f32(4, 5) }, ({ a, b }) => ({ y: matmul(a, b) }));
    const two = trace({ a: f32(3, 4), b: f32(4, 5), c: f32(3, 4) }, ({ a, b, c }) => ({
      y: matmul(a, b),
      z: matmul(c, b),
    }));
    const other = trace({ a: f32(3, 4), b: f32(4, 6) }, ({ a, b }) => ({ y: matmul(a, b) }));
    const units = unitsOf([...once(product, 10), ...once(two, 3), ...once(other, 2)], target);
    expect(units.map(({ runs }) => runs)).toEqual([16, 2]);
  });

  it('do not depend on where the user traced them', () => {
    const first = trace({ a: f32(2), b: f32(2) }, ({ a, b }) => ({ y: add(a, b) }));
    const second = trace({ a: f32(2), b: f32(2) }, ({ a, b }) => ({ y: add(a, b) }));
    expect(unitsOf([...once(first), ...once(second)], target)).toHaveLength(1);
  });

  it('keep whole numbers whole', () => {
    const tape = trace({ table: f32(5, 2), rows: i32(3) }, ({ table, rows }) => ({ y: gather(table, rows) }));
    const [unit] = unitsOf(once(tape), target);
    const types = Object.values(unit!.tape.inputs).map((id) => typeText(unit!.tape.operations[id]!.type));
    expect(types).toEqual(['f32[5,2]', 'i32[3]']);
  });
});

describe('the key of a launch', () => {
  const tape = trace({ a: f32(30, 4), b: f32(4, 30) }, ({ a, b }) => ({ y: matmul(a, b) }));

  it('is the same for block sizes that make no difference here, and another for those that do', () => {
    const { tuning } = target;
    const with_ = (changes: Partial<typeof tuning>) => targetWith({ tuning: { ...tuning, ...changes } });
    expect(launchKey(tape, with_({ poolTerms: 1 }))).toBe(launchKey(tape, target));
    expect(launchKey(tape, with_({ matmulBlock: { ...tuning.matmulBlock, steps: 1 } }))).not.toBe(
      launchKey(tape, target),
    );
    const workgroup = { ...tuning.workgroup, matmul: 2 * tuning.workgroup.matmul };
    expect(launchKey(tape, with_({ workgroup }))).not.toBe(launchKey(tape, target));
  });
});

/** Numbers for a unit's operands: those of the whole tape's inputs, in the order in which the unit meets them. */
function operandsOf(
  unit: Tape,
  whole: Tape,
  values: Readonly<Record<string, Float32Array>>,
): Record<string, Float32Array> {
  // The last operation of the chain is met first: add(mul(a, b), b) reads b before a.
  const order = ['b', 'a'];
  expect(Object.keys(unit.inputs)).toHaveLength(order.length);
  expect(Object.keys(whole.inputs).sort()).toEqual([...order].sort());
  return Object.fromEntries(order.map((name, k) => [`operand${k}`, values[name]!]));
}
