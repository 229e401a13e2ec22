/**
 * Derivatives as transformations of what is traced. Reverse mode walks the operations that lead from the tensors asked
 * for to the output, last first, and appends to the same tape the operations that compute the cotangents. What it
 * appends is made of ordinary operations, so it can be differentiated again: a second derivative is this code applied
 * to its own result, and forward mode is reverse mode applied to itself.
 *
 * (Wengert 1964; adjoints after Griewank & Walther, Evaluating Derivatives, ch. 3.)
 */
import { ShapeError } from '../errors.js';
import { add, fill } from './ops/elementwise.js';
import { definitionOf } from './ops/index.js';
import { mergePacked } from './ops/pack.js';
import { sameShape, shapeText, typeText } from './tape.js';
import type { Tensor } from './trace.js';

/** What every derivative may be told. */
export interface DerivativeOptions {
  /**
   * What is given for a tensor that the output does not depend on differentiably: an error (default), or zeros, for a
   * caller who expects that.
   */
  readonly unconnected?: 'error' | 'zero';
}

/** What a gradient may be told beside. */
export interface GradientOptions extends DerivativeOptions {
  /** Cotangent of the output, of its shape; 1 by default, which asks for a scalar output. */
  readonly cotangent?: Tensor;
}

/**
 * The gradient of `output` with respect to each of `wrt`, as tensors on the same tape, each of the shape of its `wrt`.
 *
 * @param wrt inputs, or tensors computed on the way to the output
 * @throws ShapeError when the output is no scalar and no cotangent is given, when the cotangent's shape differs,
 *   when a tensor belongs to another trace, or when the output does not depend differentiably on one of `wrt` (see
 *   `unconnected`).
 */
export function gradient(output: Tensor, wrt: readonly Tensor[], options: GradientOptions = {}): Tensor[] {
  return pullBack('gradient', [output], wrt, [options.cotangent ?? unitCotangent(output)], options);
}

/**
 * A function's value and its gradient with respect to each of its arguments.
 *
 * @param compute a scalar function of tensors; it may itself take derivatives
 * @param at tensors to evaluate it at
 * @throws ShapeError as `gradient` does.
 */
export function valueAndGradient(
  compute: (...inputs: Tensor[]) => Tensor,
  at: readonly Tensor[],
  options: DerivativeOptions = {},
): { readonly value: Tensor; readonly gradients: Tensor[] } {
  const value = compute(...at);
  return { value, gradients: gradient(value, at, options) };
}

/**
 * Vector–Jacobian product: Σ_k (∂outputs_k/∂wrt)ᵀ cotangents_k for each of `wrt`.
 *
 * @param cotangents one for each output, of its shape
 * @throws ShapeError when a cotangent's shape differs, or when no output depends differentiably on one of `wrt`.
 */
export function vjp(
  outputs: readonly Tensor[],
  wrt: readonly Tensor[],
  cotangents: readonly Tensor[],
  options: DerivativeOptions = {},
): Tensor[] {
  return pullBack('vjp', outputs, wrt, cotangents, options);
}

/** @internal `vjp`, with the caller's own words where no output depends on `wrt[k]`. */
export function vjpOrRefuse(
  outputs: readonly Tensor[],
  wrt: readonly Tensor[],
  cotangents: readonly Tensor[],
  refusal: (k: number) => string,
): Tensor[] {
  return pullBack('vjp', outputs, wrt, cotangents, { refusal });
}

/**
 * Jacobian–vector product: Σ_k (∂outputs/∂wrt_k) tangents_k for each output, the derivative along a direction.
 *
 * The vector–Jacobian product is linear in the cotangent u, so its own vector–Jacobian product by u, along the tangent,
 * is the Jacobian–vector product, and u is in no operation that is left (the forward mode from transposing twice: Radul
 * et al. 2022, You Only Linearize Once). It holds no intermediate of the reverse sweep, and costs what forward mode does.
 *
 * @param tangents one for each of `wrt`, of its shape
 * @throws ShapeError when a tangent's shape differs, or when an output depends differentiably on none of `wrt`.
 */
export function jvp(
  outputs: readonly Tensor[],
  wrt: readonly Tensor[],
  tangents: readonly Tensor[],
  options: DerivativeOptions = {},
): Tensor[] {
  const placeholders = outputs.map(placeholder);
  const pulled = pullBack('jvp', outputs, wrt, placeholders, { unconnected: 'zero' });
  return pullBack('jvp', pulled, placeholders, tangents, options, outputs);
}

/**
 * Hessian-vector product: Σ_j (∂²output/∂wrt_i ∂wrt_j) vectors_j for each of `wrt`, without the Hessian
 * (Pearlmutter 1994), the vectors being constants.
 *
 * @param vectors one for each of `wrt`, of its shape
 * @throws ShapeError as `gradient` does, and when the output is linear in one of `wrt`, so that its product is zero
 *   everywhere (see `unconnected`).
 */
export function hvp(
  output: Tensor,
  wrt: readonly Tensor[],
  vectors: readonly Tensor[],
  options: DerivativeOptions = {},
): Tensor[] {
  return pullBack('hvp', gradient(output, wrt, options), wrt, vectors, options);
}

/** The reverse sweep; `named` are the tensors that messages speak of where they are not `wrt`. */
function pullBack(
  caller: string,
  outputs: readonly Tensor[],
  wrt: readonly Tensor[],
  seeds: readonly Tensor[],
  options: DerivativeOptions & { readonly refusal?: (k: number) => string },
  named = wrt,
): Tensor[] {
  requireSeeds(caller, outputs, seeds);
  const { recorder } = outputs[0]!;
  const { unconnected, refusal = (k) => unconnectedMessage(caller, outputs, named[k]!) } = options;
  for (const tensor of [...outputs, ...wrt, ...seeds]) recorder.requireOwn(`${caller}: a tensor`, tensor);
  const contributions = new Map<number, Tensor[]>();
  const accumulate = (id: number, contribution: Tensor): void => {
    const known = contributions.get(id);
    if (known === undefined) contributions.set(id, [contribution]);
    else joinContribution(known, contribution);
  };
  const cotangentOf = (id: number): Tensor | undefined =>
    contributions.get(id)?.reduce((total, each) => add(total, each));
  outputs.forEach((output, k) => {
    accumulate(output.id, seeds[k]!);
  });

  const last = Math.max(...outputs.map((output) => output.id));
  const leading = operationsFrom(wrt, last);
  for (let id = last; id >= 0; id--) {
    if (!contributions.has(id) || !leading.has(id)) continue;
    const { name, attributes, inputs } = recorder.operation(id);
    const wanted = inputs.map((input) => leading.has(input));
    if (!wanted.includes(true)) continue;

    const operation = {
      attributes,
      inputs: inputs.map((input) => recorder.tensor(input)),
      output: recorder.tensor(id),
    };
    recorder.differentiate(id, () => {
      const flowing = definitionOf(name).vjp(operation, cotangentOf(id)!, wanted);
      inputs.forEach((input, k) => {
        if (wanted[k] && flowing[k] != null) accumulate(input, flowing[k]);
      });
    });
  }

  return wrt.map((tensor, k) => {
    const found = cotangentOf(tensor.id);
    if (found !== undefined) return found;
    if (unconnected === 'zero') return fill(tensor, tensor.shape, 0);
    throw new ShapeError(refusal(k));
  });
}

/** The operations up to `last` that `wrt` can influence, `wrt` among them. */
function operationsFrom(wrt: readonly Tensor[], last: number): Set<number> {
  const reached = new Set(wrt.map((tensor) => tensor.id));
  for (let id = 0; id <= last; id++) {
    if (wrt[0]?.recorder.operation(id).inputs.some((input) => reached.has(input))) reached.add(id);
  }
  return reached;
}

/** Adds to a list whose sum is a cotangent; pieces of one parameter vector become one. */
function joinContribution(known: Tensor[], contribution: Tensor): void {
  for (const [k, each] of known.entries()) {
    const merged = mergePacked(each, contribution);
    if (merged === null) continue;
    known[k] = merged;
    return;
  }
  known.push(contribution);
}

/** A cotangent that no other tensor is equal to, so that what depends on it depends on nothing else. */
function placeholder(output: Tensor): Tensor {
  const { recorder, shape } = output;
  const attributes = { shape: [...shape], value: 0, placeholder: recorder.length };
  return recorder.record('fill', attributes, [], { dataType: 'f32', shape: [...shape] });
}

function unitCotangent(output: Tensor): Tensor {
  if (output.shape.length !== 0) {
    throw new ShapeError(
      `gradient: the output has shape ${shapeText(output.shape)}; differentiate a scalar of shape [], or give a cotangent.`,
    );
  }
  return output.recorder.differentiate(output.id, () => fill(output, [], 1));
}

function requireSeeds(caller: string, outputs: readonly Tensor[], seeds: readonly Tensor[]): void {
  const kind = caller === 'jvp' ? 'tangent' : caller === 'hvp' ? 'vector' : 'cotangent';
  if (outputs.length === 0 || seeds.length !== outputs.length) {
    throw new ShapeError(
      `${caller}: ${seeds.length} ${kind}s were given for ${outputs.length} tensors; give one for each, and at least one.`,
    );
  }
  outputs.forEach((output, k) => {
    const seed = seeds[k]!;
    if (!sameShape(seed.shape, output.shape) || seed.type.dataType !== 'f32') {
      throw new ShapeError(
        `${caller}: the ${kind} ${typeText(seed.type)} must be f32${shapeText(output.shape)}, ` +
          `the shape of what it belongs to (%${output.id}).`,
      );
    }
  });
}

function unconnectedMessage(caller: string, outputs: readonly Tensor[], tensor: Tensor): string {
  const which = `%${tensor.id} ${typeText(tensor.type)}`;
  const remedy = "Leave it out, or ask for zeros with { unconnected: 'zero' }.";
  if (caller === 'jvp') {
    return `jvp: the output ${which} depends differentiably on none of the tensors moved, so its tangent would be zero. ${remedy}`;
  }
  if (caller === 'hvp') {
    return `hvp: the gradient does not depend on ${which}, so its product would be zero everywhere. ${remedy}`;
  }
  const names = outputs.map((output) => `%${output.id}`).join(', ');
  return (
    `${caller}: the output (${names}) does not depend differentiably on ${which}, ` +
    `so its gradient would be zero everywhere. ${remedy}`
  );
}
