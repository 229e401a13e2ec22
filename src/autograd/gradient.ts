/**
 * Reverse mode, as a transformation of tapes. A gradient walks the operations that lead from the inputs asked
 * for to the output, last first, and appends to the same tape the operations that compute the cotangents. What
 * it appends is made of ordinary operations, so it can be differentiated again: the second derivative is this
 * code applied to its own result.
 *
 * (Wengert 1964; adjoints after Griewank & Walther, Evaluating Derivatives, ch. 3.)
 */
import { ShapeError } from '../errors.js';
import { add, fill } from './ops/elementwise.js';
import { definitionOf } from './ops/index.js';
import { mergePacked } from './ops/pack.js';
import { sameShape, shapeText, type Tape } from './tape.js';
import { Recorder, type Tensor } from './trace.js';

export interface GradientOptions {
  /** Cotangent of the output, of its shape; 1 by default, which asks for a scalar output. */
  readonly cotangent?: Tensor;
  /** What an input that the output does not depend on gives: an error (default), or zeros. */
  readonly unconnected?: 'error' | 'zero';
}

/**
 * The gradient of `output` with respect to each of `wrt`, as tensors on the same tape.
 *
 * @throws ShapeError when the output is no scalar and no cotangent is given, when the cotangent's shape differs,
 *   or when the output does not depend differentiably on one of `wrt` (see `unconnected`).
 */
export function gradient(output: Tensor, wrt: readonly Tensor[], options: GradientOptions = {}): Tensor[] {
  const { recorder } = output;
  const seed = options.cotangent ?? unitCotangent(output);
  if (!sameShape(seed.shape, output.shape)) {
    throw new ShapeError(
      `gradient: the cotangent ${shapeText(seed.shape)} must have the output's shape ${shapeText(output.shape)}.`,
    );
  }

  const leading = operationsFrom(wrt, output);
  const cotangents = new Map<number, Tensor>([[output.id, seed]]);

  for (let id = output.id; id >= 0; id--) {
    const cotangent = cotangents.get(id);
    if (cotangent === undefined || !leading.has(id)) continue;
    const { name, attributes, inputs } = recorder.operation(id);
    if (name === 'input') continue;

    const operands = inputs.map((input) => recorder.tensor(input));
    const wanted = inputs.map((input) => leading.has(input));
    if (!wanted.includes(true)) continue;
    const operation = { attributes, inputs: operands, output: recorder.tensor(id) };
    const contributions = recorder.differentiate(id, () =>
      definitionOf(name).vjp(operation, cotangent, wanted),
    );

    inputs.forEach((input, k) => {
      const contribution = contributions[k];
      if (!wanted[k] || contribution == null) return;
      const known = cotangents.get(input);
      const total =
        known === undefined
          ? contribution
          : recorder.differentiate(id, () => accumulate(known, contribution));
      cotangents.set(input, total);
    });
  }

  return wrt.map((tensor) => {
    const found = cotangents.get(tensor.id);
    if (found !== undefined) return found;
    if (options.unconnected === 'zero') return fill(output, tensor.shape, 0);
    throw new ShapeError(
      `gradient: the output (%${output.id}) does not depend differentiably on %${tensor.id} ` +
        `${shapeText(tensor.shape)}, so its gradient would be zero everywhere. ` +
        "Leave it out, or ask for zeros with { unconnected: 'zero' }.",
    );
  });
}

/**
 * A tape's gradient as a tape: the outputs of the original, and `d_NAME` for each input named in `wrt`.
 *
 * @param output name of the scalar output that is differentiated
 */
export function gradientTape(
  tape: Tape,
  output: string,
  wrt: readonly string[],
  options: GradientOptions = {},
): Tape {
  const recorder = new Recorder();
  const tensors = replay(tape, recorder);
  const place = (names: Readonly<Record<string, number>>, kind: string, name: string): Tensor => {
    const id = names[name];
    if (id === undefined) {
      throw new ShapeError(
        `gradient: the tape has no ${kind} '${name}'; it has ${Object.keys(names).join(', ')}.`,
      );
    }
    return tensors[id]!;
  };
  const inputs = wrt.map((name) => place(tape.inputs, 'input', name));
  const gradients = gradient(place(tape.outputs, 'output', output), inputs, options);
  const outputs = Object.entries(tape.outputs).map(([name, id]) => [name, tensors[id]!] as const);
  return recorder.finish(
    Object.fromEntries([...outputs, ...wrt.map((name, k) => [`d_${name}`, gradients[k]!] as const)]),
  );
}

/** Records a tape's operations anew; the result is indexed by the tape's own numbers. */
function replay(tape: Tape, recorder: Recorder): Tensor[] {
  const inputNames = new Map(Object.entries(tape.inputs).map(([name, id]) => [id, name]));
  const tensors: Tensor[] = [];
  for (const { id, name, attributes, inputs, type, origin = {} } of tape.operations) {
    const operands = inputs.map((input) => tensors[input]!);
    tensors[id] = recorder.withOrigin(origin, () =>
      name === 'input'
        ? recorder.input(inputNames.get(id)!, type)
        : recorder.record(name, attributes, operands, type),
    );
  }
  return tensors;
}

/** The operations through which `wrt` can influence `output`, `wrt` among them. */
function operationsFrom(wrt: readonly Tensor[], output: Tensor): Set<number> {
  const reached = new Set(wrt.map((tensor) => tensor.id));
  for (let id = 0; id <= output.id; id++) {
    if (output.recorder.operation(id).inputs.some((input) => reached.has(input))) reached.add(id);
  }
  return reached;
}

function accumulate(a: Tensor, b: Tensor): Tensor {
  return mergePacked(a, b) ?? add(a, b);
}

function unitCotangent(output: Tensor): Tensor {
  if (output.shape.length !== 0) {
    throw new ShapeError(
      `gradient: the output has shape ${shapeText(output.shape)}; differentiate a scalar of shape [], or give a cotangent.`,
    );
  }
  return output.recorder.differentiate(output.id, () => fill(output, [], 1));
}
