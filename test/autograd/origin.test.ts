import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { augment } from '../../src/autograd/ops/augment.js';
import { add, exp, mul } from '../../src/autograd/ops/elementwise.js';
import { matmul } from '../../src/autograd/ops/matmul.js';
import { sumAll } from '../../src/autograd/ops/reduce.js';
import { VIEW_NUMBERS } from '../../src/autograd/ops/warp.js';
import { engineExtent, locate, parseFrame, userPlace } from '../../src/autograd/origin.js';
import { f32, i32, type Operation, type Tape } from '../../src/autograd/tape.js';
import { gradientTape } from '../../src/autograd/tapeTransforms.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import type { InnerProblem } from '../../src/autograd/unroll/problem.js';
import { stepTape } from '../../src/autograd/unroll/tapes.js';
import { ShapeError } from '../../src/errors.js';
import { convNet } from '../../src/nn/convNet.js';
import { mse, softmaxCrossEntropy } from '../../src/nn/losses.js';
import { sgd } from '../../src/nn/optimisers/sgd.js';
import { markedLines } from '../support/marked.js';

const marked = markedLines(import.meta.filename);

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

const named = (tape: Tape, name: string): Operation[] =>
  tape.operations.filter((operation) => operation.name === name);

describe('the origin of an operation', () => {
  it('is the line that traced it, in an operation and in a composition', () => {
    const model = convNet({ image: [1, 4, 4], depth: 1, width: 2, output: 3 });
    const types = { theta: f32(model.parameters.total), x: f32(2, 1, 4, 4), y: f32(2, 3) };
    const tape = trace(types, ({ theta, x, y }) => {
      const { output } = model.forward(theta, x); // forward
      const half = exp(output); // exp
      return { loss: mse(half, y) };
    });
    const lineOf = (name: string) => named(tape, name)[0]!.origin?.place;
    expect(lineOf('exp')).toContain(marked('exp'));
    expect(lineOf('conv2d')).toContain(marked('forward'));
    for (const { origin } of tape.operations) expect(origin).not.toHaveProperty('gradientOf');
  });

  it('is the user’s own loss, where the engine calls it', () => {
    const problem: InnerProblem = {
      parameters: 3,
      tables: { x: f32(4, 3), y: f32(4, 3) },
      loss: (theta, { x, y }) => mse(mul(x!, theta), y!), // inner loss
    };
    const tape = stepTape({ problem, optimiser: sgd(), wrt: ['x'], perStep: [] }, 2); // step tape
    expect(named(tape, 'mul')[0]!.origin?.place).toContain(marked('inner loss'));
    expect(named(tape, 'input')[0]!.origin?.place).toContain(marked('step tape'));
    expect(named(tape, 'gather')[0]!.origin?.place).toContain(marked('step tape'));
  });

  it('is the first of the lines that record the same', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => {
      const first = exp(a); // first
      const second = exp(a);
      return { y: add(first, second) };
    });
    expect(named(tape, 'exp').map(({ origin }) => origin?.place)).toEqual([
      expect.stringContaining(marked('first')),
    ]);
  });

  it('is the forward operation’s in a gradient, with the order of the derivative', () => {
    const tape = trace({ a: f32(3, 3), b: f32(3, 3) }, ({ a, b }) => {
      const product = matmul(a, b); // product
      const [first] = gradient(sumAll(exp(product)), [a]) as [Tensor];
      const [second] = gradient(sumAll(first), [b]) as [Tensor];
      return { second };
    });
    const origins = named(tape, 'matmul').map(({ origin }) => origin);
    expect(origins.length).toBeGreaterThan(2);
    expect(origins[0]).toEqual({ place: expect.stringContaining(marked('product')) });
    for (const origin of origins.slice(1)) {
      expect(origin).toMatchObject({
        gradientOf: 'matmul',
        place: expect.stringContaining(marked('product')),
      });
    }
    expect(new Set(origins.slice(1).map((origin) => origin?.order))).toEqual(new Set([1, 2]));
  });

  it('stays when a tape is differentiated, and changes nothing that is computed', () => {
    const tape = trace({ a: f32(3) }, ({ a }) => ({ y: sumAll(exp(a)) })); // differentiated
    const bare: Tape = {
      ...tape,
      operations: tape.operations.map(({ origin: _, ...operation }) => operation),
    };
    const derived = gradientTape(tape, 'y', ['a']);
    const bareDerived = gradientTape(bare, 'y', ['a']);
    for (const { origin } of derived.operations) {
      expect(origin?.place).toContain(marked('differentiated'));
    }
    expect(bareDerived.operations.filter(({ origin }) => origin?.place !== undefined)).toEqual([]);
    const a = [0.5, -1, 2];
    expect(interpret(bareDerived, { a })).toEqual(interpret(derived, { a }));
  });

  it('is found whatever limit the host sets to stacks, and leaves that limit alone', () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      const tape = trace({ a: f32(3) }, ({ a }) => ({ y: exp(a) })); // limited
      expect(named(tape, 'exp')[0]!.origin?.place).toContain(marked('limited'));
      expect(Error.stackTraceLimit).toBe(0);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });
});

describe('an error names the user’s line', () => {
  const types = { a: f32(2, 3), b: f32(2, 4) };

  it('of an operation that refuses its operands', () => {
    const message = messageOf(
      () => trace(types, ({ a, b }) => ({ y: add(a, b) })), // refused
    );
    expect(message).toMatch(/^add: shapes \[2,3\] and \[2,4\] do not broadcast.* Traced at .*\.$/);
    expect(message).toContain(marked('refused'));
  });

  it('that declared an impossible input', () => {
    const message = messageOf(
      () => trace({ a: f32(0) }, ({ a }) => ({ y: exp(a) })), // impossible
    );
    expect(message).toMatch(/^trace: input 'a' has shape \[0\].* Traced at /);
    expect(message).toContain(marked('impossible'));
  });

  it('that called a composition, which refused before it recorded anything', () => {
    const message = messageOf(
      () => trace(types, ({ a, b }) => ({ y: softmaxCrossEntropy(a, sumAll(b)) })), // composed
    );
    expect(message).toMatch(/^softmaxCrossEntropy: .*\[2,3\].* Traced at /);
    expect(message).toContain(marked('composed'));
  });

  it('that called a model', () => {
    const model = convNet({ image: [1, 4, 4], depth: 1, width: 2, output: 3 });
    const message = messageOf(() =>
      trace({ theta: f32(model.parameters.total), x: f32(2, 3, 4, 4) }, ({ theta, x }) => {
        return { y: model.forward(theta, x).output }; // modelled
      }),
    );
    expect(message).toMatch(/^conv2d: x \[2,3,4,4\] has 3 channels.* Traced at /);
    expect(message).toContain(marked('modelled'));
  });

  it('that traced the forward operation, where its derivative fails', () => {
    const message = messageOf(() =>
      trace({ x: f32(1, 1, 4, 4), view: f32(1, VIEW_NUMBERS), stream: i32(4) }, ({ x, view, stream }) => {
        const seen = augment(x, view, stream); // augmented
        return { y: gradient(sumAll(seen), [view])[0]! };
      }),
    );
    expect(message).toMatch(/^augment: has no derivative.* Met in the gradient of augment, traced at /);
    expect(message).toContain(marked('augmented'));
  });

  it('that asked for a gradient which is zero', () => {
    const message = messageOf(
      () => trace(types, ({ a, b }) => ({ y: gradient(sumAll(a), [b])[0]! })), // unconnected
    );
    expect(message).toMatch(/does not depend differentiably.* Traced at /);
    expect(message).toContain(marked('unconnected'));
  });

  it('once, in the stack as in the message', () => {
    try {
      trace(types, ({ a, b }) => ({ y: add(a, b) }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ShapeError);
      const { message, stack } = error as Error;
      expect(message.match(/Traced at/g)).toHaveLength(1);
      expect(stack?.match(/Traced at/g)).toHaveLength(1);
    }
  });

  it('when float64 evaluation fails', () => {
    const tape = trace({ a: f32(2) }, ({ a }) => ({ y: exp(a) })); // evaluated
    const broken: Tape = {
      ...tape,
      operations: tape.operations.map((operation) =>
        operation.name === 'exp' ? { ...operation, name: 'convolve' } : operation,
      ),
    };
    const message = messageOf(() => interpret(broken, { a: [1, 2] }));
    expect(message).toMatch(/'convolve'.* Met while evaluating convolve \(%1: f32\[2\]\), traced at /);
    expect(message).toContain(marked('evaluated'));
  });
});

describe('locate', () => {
  it('adds the first sentence only, and none to what is no error', () => {
    const error = new Error('broken.');
    expect(locate(error, '')).toBe(error);
    expect(locate(error, 'Here.')).toBe(error);
    locate(error, 'There.');
    expect(error.message).toBe('broken. Here.');
    expect(locate('text', 'Here.')).toBe('text');
  });
});

describe('stacks of every engine', () => {
  it.each([
    ['V8', '    at add (/home/a/train.ts:12:7)', '/home/a/train.ts', '12:7'],
    ['V8, at top level', '    at file:///home/a%20b/train.mjs:1:2', '/home/a b/train.mjs', '1:2'],
    ['V8, after an await', '    at async run (file:///C:/a/train.mjs:3:4)', 'C:/a/train.mjs', '3:4'],
    ['V8, a nameless one', '    at async file:///a/train.mjs:3:4', '/a/train.mjs', '3:4'],
    ['V8, on Windows', '    at Object.<anonymous> (C:\\a\\train.js:3:4)', 'C:/a/train.js', '3:4'],
    ['V8, with brackets', '    at new Net (/a (b)/train.js:3:4)', '/a (b)/train.js', '3:4'],
    [
      'Firefox',
      'add@http://localhost:5173/src/train.ts?t=17:12:7',
      'http://localhost:5173/src/train.ts',
      '12:7',
    ],
    ['Firefox, a nameless one', '@http://localhost/train.js:12:7', 'http://localhost/train.js', '12:7'],
    [
      'Firefox, after an await',
      'async*add@http://localhost/train.js:12:7',
      'http://localhost/train.js',
      '12:7',
    ],
    ['Safari, a module', 'module code@http://localhost/train.js:12:7', 'http://localhost/train.js', '12:7'],
    ['Safari, a nameless one', 'http://localhost/train.js:12:7', 'http://localhost/train.js', '12:7'],
  ])('%s', (_, line, file, position) => {
    expect(parseFrame(line)).toEqual({ file, position });
  });

  it.each([
    ['the message', 'ShapeError: add: shapes [2] and [3] do not broadcast'],
    ['a built-in', '    at Array.map (<anonymous>)'],
    ['a promise', '    at async Promise.all (index 0)'],
    ['the host’s own', '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)'],
    ['an evaluated text', '    at eval (eval at run (/a/train.js:1:2), <anonymous>:1:1)'],
    ['an evaluated text in Firefox', 'add@http://localhost/train.js line 5 > eval:1:1'],
    ['a built-in of Safari', 'map@[native code]'],
    ['nothing', ''],
  ])('but not %s', (_, line) => {
    expect(parseFrame(line)).toBeUndefined();
  });
});

describe('the engine’s own frames', () => {
  it.each([
    ['the source', '/w/hypergrad/src/autograd/origin.ts', '/w/hypergrad/src/'],
    ['compiled source', 'http://localhost/src/autograd/origin.js', 'http://localhost/src/'],
    ['the package', '/w/node_modules/hypergrad/dist/chunks/probe-a1.js', '/w/node_modules/hypergrad/dist/'],
    ['the package’s entry', '/w/hypergrad/dist/index.js', '/w/hypergrad/dist/'],
    ['a bundle of the user’s', 'http://localhost/assets/index-a1.js', 'http://localhost/assets/index-a1.js'],
  ])('are told from where %s lies', (_, own, extent) => {
    expect(engineExtent(own)).toBe(extent);
  });

  it('are passed over, with those of installed packages', () => {
    const stack = [
      'Error',
      '    at record (/w/src/autograd/trace.ts:1:1)',
      '    at Array.map (<anonymous>)',
      '    at helper (/home/a/node_modules/helper/index.js:2:2)',
      '    at train (/home/a/train.ts:12:7)',
      '    at main (/home/a/main.ts:1:1)',
    ].join('\n');
    expect(userPlace(stack, '/w/src/')).toBe('/home/a/train.ts:12:7');
  });

  it('leave no place where the user’s code is in the same bundle', () => {
    const stack = 'add@http://localhost/a.js:1:20\ntrain@http://localhost/a.js:1:9000\n[native code]';
    expect(userPlace(stack, 'http://localhost/a.js')).toBeUndefined();
  });
});
