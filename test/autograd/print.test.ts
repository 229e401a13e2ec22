import { describe, expect, it } from 'vitest';
import { describeParts, type PlanDescription } from '../../src/autograd/compile/describe.js';
import { lowerTape } from '../../src/autograd/compile/lower.js';
import { placeStays } from '../../src/autograd/compile/place.js';
import { compile } from '../../src/autograd/compile/plan.js';
import { gradient } from '../../src/autograd/gradient.js';
import { add, exp, relu, scale } from '../../src/autograd/ops/elementwise.js';
import { gather } from '../../src/autograd/ops/gather.js';
import { matmul } from '../../src/autograd/ops/matmul.js';
import { reshape, sumAll } from '../../src/autograd/ops/reduce.js';
import { print } from '../../src/autograd/print.js';
import { f32, i32, type Tape } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { useDevice } from '../support/device.js';
import { targetWith } from '../support/lowered.js';
import { markedLines } from '../support/marked.js';
import { reverseTape } from '../support/tinyUnroll.js';

const openedDevice = useDevice();
const marked = markedLines(import.meta.filename);
const ALIGNMENT = 256;

function describeTape(tape: Tape): PlanDescription {
  const lowered = lowerTape(tape, targetWith());
  const placement = placeStays(lowered.stays, ALIGNMENT, 2 ** 30);
  return describeParts({ label: 'made', tape, lowered, placement, shared: [] });
}

describe('print of a tape', () => {
  const tape = trace({ a: f32(2, 3) }, ({ a }) => ({ y: reshape(scale(a, 0.5), [6]) }));

  it('shows each operation with its type, operands and settings, then the outputs', () => {
    expect(print(tape)).toBe(
      "%0: f32[2,3] = input 'a'\n%1: f32[2,3] = scale(%0, by=0.5)\n%2: f32[6] = reshape(%1, shape=[6])\nreturn y = %2\n",
    );
  });

  it('ends lines with where they were traced, if it is asked to', () => {
    const derived = trace({ a: f32(3) }, ({ a }) => {
      const loss = sumAll(exp(a)); // loss
      return { d: gradient(loss, [a])[0] as Tensor };
    });
    const lines = print(derived, { origins: true }).split('\n');
    const forward = lines.find((line) => line.includes('exp('));
    const backward = lines.filter((line) => line.includes('gradient of'));
    expect(forward).toMatch(/^%1: f32\[3\] = exp\(%0\) \/\/ \S+$/);
    expect(forward).toContain(marked('loss'));
    expect(backward.length).toBeGreaterThan(0);
    for (const line of backward) expect(line).toMatch(/ \/\/ gradient of (exp|sum|reshape), \S+$/);
    expect(print(derived)).not.toContain('//');
  });
});

describe('the description of a plan', () => {
  it('tells dispatches, what is fused into them, their traffic, and places', () => {
    const tape = trace({ a: f32(4, 8), index: i32(2) }, ({ a, index }) => {
      const rows = gather(a, index);
      return { y: relu(scale(rows, 2)), total: sumAll(exp(matmul(a, a, { transposeB: true }))) };
    });
    const { steps, tensors, outputs, totals, arena } = describeTape(tape);
    const shown = steps.map(({ kernel, operation, fused, bytesRead, bytesWritten }) => ({
      kernel,
      operation: operation.name,
      fused: fused.map(({ name }) => name),
      bytesRead,
      bytesWritten,
    }));
    const row = 8 * 4;
    expect(shown).toEqual([
      { kernel: 'gather', operation: 'gather', fused: [], bytesRead: 4 * row + 8, bytesWritten: 2 * row },
      {
        kernel: 'elementwise',
        operation: 'relu',
        fused: ['scale'],
        bytesRead: 2 * row,
        bytesWritten: 2 * row,
      },
      // The second operand is a copy: one buffer cannot be bound twice.
      { kernel: 'copy', operation: 'matmul', fused: [], bytesRead: 4 * row, bytesWritten: 4 * row },
      { kernel: 'matmul', operation: 'matmul', fused: [], bytesRead: 8 * row, bytesWritten: 64 },
      { kernel: 'reduce', operation: 'sum', fused: ['exp'], bytesRead: 64, bytesWritten: 4 },
    ]);
    expect(tensors.filter(({ use }) => use === 'scratch').map(({ operation }) => operation.name)).toEqual([
      'matmul',
    ]);
    const result = tensors.find(({ operation }) => operation.name === 'relu')!;
    expect(outputs[0]).toMatchObject({
      name: 'y',
      bytes: 64,
      place: `arena${result.buffer}+${result.offset}`,
    });
    expect(result.last).toBe(steps.length);
    expect(totals).toMatchObject({
      dispatches: 5,
      operations: tape.operations.length - 2,
      bytesWritten: shown.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
      arenaBytes: arena[0],
      inputBytes: 4 * row + 8,
      sharedInputBytes: 0,
    });
  });

  it('has tensors of one time side by side, within the arena and the peak', () => {
    const { tensors, arena, totals, steps } = describeTape(reverseTape());
    expect(tensors.length).toBeGreaterThan(20);
    for (const a of tensors) {
      expect(a.offset + a.bytes).toBeLessThanOrEqual(arena[a.buffer]!);
      for (const b of tensors) {
        const together = a !== b && a.buffer === b.buffer && a.first <= b.last && b.first <= a.last;
        if (together) expect(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset).toBe(true);
      }
    }
    const needed = (step: number): number =>
      tensors.reduce((sum, { first, last, bytes }) => (first <= step && step <= last ? sum + bytes : sum), 0);
    expect(needed(totals.peakStep)).toBe(totals.peakBytes);
    expect(Math.max(...steps.map(({ step }) => needed(step)))).toBe(totals.peakBytes);
    expect(totals.peakBytes).toBeLessThanOrEqual(totals.arenaBytes);
  });

  it('has every dispatch write, and every operation that is computed in one', () => {
    const tape = reverseTape();
    const { steps } = describeTape(tape);
    for (const { bytesWritten } of steps) expect(bytesWritten).toBeGreaterThan(0);
    const computed = new Set(
      steps.flatMap(({ operation, fused }) => [operation, ...fused].map(({ line }) => line)),
    );
    const free = tape.operations.filter(({ id }) => !computed.has(id)).map(({ name }) => name);
    expect(new Set(free)).toEqual(new Set(['input', 'reshape', 'segment']));
  });
});

describe('print of a plan', () => {
  it('is a table of steps, a memory map and totals', async () => {
    const tape = trace({ a: f32(64), b: f32(64) }, ({ a, b }) => {
      const early = exp(a);
      return { y: add(exp(early), exp(b)), early };
    });
    const plan = await compile(tape, await openedDevice(), { label: 'small' });
    const text = print(plan);
    expect(print(plan.describe())).toBe(text);
    plan.release();
    expect(text).toBe(
      `plan small: 4 operations in 2 dispatches

input  type          size  where
a      f32[64]  256 bytes  own buffer
b      f32[64]  256 bytes  own buffer

output  type          size  where
y       f32[64]  256 bytes  arena0+256
early   f32[64]  256 bytes  arena0+0

step  kernel       workgroups      reads     writes  operation ← fused into it
   0  elementwise         1×1  256 bytes  256 bytes  %2 exp f32[64]
   1  elementwise         1×1  512 bytes  256 bytes  %5 add f32[64] ← %3 exp ← %4 exp

   place            size  steps  tensor
a  arena0+0    256 bytes  0–end  %2 exp f32[64]
b  arena0+256  256 bytes  1–end  %5 add f32[64]

arena0, 512 bytes: addresses down, steps 0–2 across
  0  |aaa|
256  |.bb|

traffic: 768 bytes read, 512 bytes written
arena: 512 bytes for 512 bytes of tensors; 512 bytes are needed at step 1
inputs: 512 bytes of its own, 0 bytes shared
`,
    );
  });
});
