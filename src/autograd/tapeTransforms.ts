/** Transformations from tape to tape: derivatives of a finished tape, and a part of one. */
import { ShapeError } from '../errors.js';
import { type DerivativeOptions, gradient, jvp } from './gradient.js';
import { inputNamesOf, type Tape } from './tape.js';
import { Recorder, type Tensor } from './trace.js';

/**
 * A tape's gradient as a tape: the outputs of the original, and `d_NAME` for each input named in `wrt`.
 *
 * @param output name of the scalar output that is differentiated
 * @throws ShapeError for an unknown name, and as `gradient` does.
 */
export function gradientTape(
  tape: Tape,
  output: string,
  wrt: readonly string[],
  options: DerivativeOptions = {},
): Tape {
  const { recorder, tensors } = replay(tape);
  const inputs = wrt.map((name) => named(tensors, tape.inputs, 'input', name));
  const gradients = gradient(named(tensors, tape.outputs, 'output', output), inputs, options);
  return recorder.finish({
    ...outputsOf(tape, tensors),
    ...Object.fromEntries(wrt.map((name, k) => [`d_${name}`, gradients[k]!])),
  });
}

/**
 * A tape's derivative along a direction as a tape: the inputs of the original and `t_NAME`, the tangent, for each input
 * named in `wrt`; its outputs, and `t_NAME` for each output named.
 *
 * @throws ShapeError for an unknown name, and as `jvp` does.
 */
export function jvpTape(
  tape: Tape,
  outputs: readonly string[],
  wrt: readonly string[],
  options: DerivativeOptions = {},
): Tape {
  const { recorder, tensors } = replay(tape);
  const inputs = wrt.map((name) => named(tensors, tape.inputs, 'input', name));
  const tangents = wrt.map((name, k) => recorder.input(`t_${name}`, inputs[k]!.type));
  const along = jvp(
    outputs.map((name) => named(tensors, tape.outputs, 'output', name)),
    inputs,
    tangents,
    options,
  );
  return recorder.finish({
    ...outputsOf(tape, tensors),
    ...Object.fromEntries(outputs.map((name, k) => [`t_${name}`, along[k]!])),
  });
}

/**
 * The part of a tape that computes the outputs named, with the inputs that these need and no others.
 *
 * @throws ShapeError for a name that the tape does not have.
 */
export function selectOutputs(tape: Tape, names: readonly string[]): Tape {
  const needed = new Set(names.map((name) => place(tape.outputs, 'output', name)));
  for (const { id, inputs } of [...tape.operations].reverse()) {
    if (needed.has(id)) for (const input of inputs) needed.add(input);
  }
  const { recorder, tensors } = replay(tape, (id) => needed.has(id));
  return recorder.finish(
    Object.fromEntries(names.map((name) => [name, named(tensors, tape.outputs, 'output', name)])),
  );
}

export interface Replay {
  readonly recorder: Recorder;
  /** By the numbers of the tape that was replayed. */
  readonly tensors: ReadonlyMap<number, Tensor>;
}

/** Records a tape's operations (or those of them that are wanted) on a new recorder. */
export function replay(tape: Tape, wanted: (id: number) => boolean = () => true): Replay {
  const recorder = new Recorder();
  const inputNames = inputNamesOf(tape);
  const tensors = new Map<number, Tensor>();
  for (const { id, name, attributes, inputs, type, origin = {} } of tape.operations) {
    if (!wanted(id)) continue;
    const operands = inputs.map((input) => tensors.get(input)!);
    const tensor = recorder.withOrigin(origin, () =>
      name === 'input'
        ? recorder.input(inputNames.get(id)!, type)
        : recorder.record(name, attributes, operands, type),
    );
    tensors.set(id, tensor);
  }
  return { recorder, tensors };
}

function outputsOf(tape: Tape, tensors: ReadonlyMap<number, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tape.outputs).map(([name, id]) => [name, tensors.get(id)!]));
}

function named(
  tensors: ReadonlyMap<number, Tensor>,
  names: Readonly<Record<string, number>>,
  kind: string,
  name: string,
): Tensor {
  return tensors.get(place(names, kind, name))!;
}

function place(names: Readonly<Record<string, number>>, kind: string, name: string): number {
  const id = Object.hasOwn(names, name) ? names[name] : undefined;
  if (id === undefined) {
    const known = Object.keys(names).join(', ');
    throw new ShapeError(`The tape has no ${kind} '${name}'; it has ${known}.`);
  }
  return id;
}
