/**
 * Tracing: running a function once on symbolic tensors to obtain its tape. A tensor here is a place on a tape
 * under construction; operations (ops/) append to it. Equal operations on equal inputs are recorded once.
 */
import { ShapeError } from '../errors.js';
import { captureOrigin, gradientOrigin, locate, type Origin, originSentence, originText } from './origin.js';
import type { Attributes, Operation, Shape, Tape, TensorType } from './tape.js';
import { shapeText } from './tape.js';

/** A symbolic value: one line of the tape that is being traced. */
export interface Tensor {
  /** The trace that it belongs to; operands of one operation must share it. */
  readonly recorder: Recorder;
  /** Its line on the tape. */
  readonly id: number;
  /** Type of its elements, and shape. */
  readonly type: TensorType;
  /** The shape of `type`. */
  readonly shape: Shape;
}

/** Owns a tape while it grows. Most code meets it only through `trace`. */
export class Recorder {
  readonly #operations: Operation[] = [];
  readonly #known = new Map<string, Tensor>();
  readonly #inputs: Record<string, number> = {};
  #origin: Origin | undefined;

  /**
   * Declares an input of the tape.
   *
   * @throws ShapeError when the name is taken, or an extent is no whole number of at least 1.
   */
  input(name: string, type: TensorType): Tensor {
    if (Object.hasOwn(this.#inputs, name))
      throw new ShapeError(`trace: input '${name}' is declared twice; rename one.`);
    requireExtents(`trace: input '${name}'`, type.shape);
    const tensor = this.#append('input', {}, [], type);
    this.#inputs[name] = tensor.id;
    return tensor;
  }

  /**
   * Appends an operation, or returns the line that already computes it.
   *
   * @throws ShapeError when an operand belongs to another trace, or the type has an impossible extent.
   */
  record(name: string, attributes: Attributes, inputs: readonly Tensor[], type: TensorType): Tensor {
    inputs.forEach((input, k) => {
      this.requireOwn(`${name}: operand ${k}`, input);
    });
    requireExtents(`${name}: its result`, type.shape);
    const key = JSON.stringify([name, attributes, inputs.map((input) => input.id)]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const tensor = this.#append(name, attributes, inputs, type);
    this.#known.set(key, tensor);
    return tensor;
  }

  /** @throws ShapeError when a tensor belongs to another trace. */
  requireOwn(what: string, { recorder, shape }: Tensor): void {
    if (recorder === this) return;
    throw new ShapeError(
      `${what} ${shapeText(shape)} belongs to another trace; pass it in as an input instead.`,
    );
  }

  /** Where an operation that is recorded now comes from: the user's line, unless `withOrigin` says otherwise. */
  origin(): Origin {
    return this.#origin ?? captureOrigin();
  }

  /** Gives an origin to all that `build` records, and names it in the errors that `build` throws. */
  withOrigin<T>(origin: Origin, build: () => T): T {
    const outer = this.#origin;
    this.#origin = origin;
    try {
      return build();
    } catch (error) {
      throw locate(error, originSentence(origin));
    } finally {
      this.#origin = outer;
    }
  }

  /** Runs a derivative rule of line `id`: what it records, and the errors that it throws, name that line's origin. */
  differentiate<T>(id: number, rule: () => T): T {
    const { name, origin } = this.operation(id);
    return this.withOrigin(gradientOrigin(name, origin), rule);
  }

  /** A line of the tape as far as it has grown. */
  operation(id: number): Operation {
    return this.#operations[id]!;
  }

  /** The symbolic value of a line. */
  tensor(id: number): Tensor {
    const { type } = this.operation(id);
    return { recorder: this, id, type, shape: type.shape };
  }

  /** Number of lines so far. */
  get length(): number {
    return this.#operations.length;
  }

  /**
   * The finished tape, with operations that no output needs left out (inputs stay).
   *
   * @throws ShapeError when an output belongs to another trace.
   */
  finish(outputs: Readonly<Record<string, Tensor>>): Tape {
    for (const [name, output] of Object.entries(outputs)) this.requireOwn(`trace: output '${name}'`, output);
    const needed = new Set<number>(Object.values(this.#inputs));
    for (const output of Object.values(outputs)) needed.add(output.id);
    for (let id = this.#operations.length - 1; id >= 0; id--) {
      if (needed.has(id)) for (const input of this.#operations[id]!.inputs) needed.add(input);
    }
    const renumbered = new Map<number, number>();
    const operations: Operation[] = [];
    for (const operation of this.#operations) {
      if (!needed.has(operation.id)) continue;
      const id = operations.length;
      renumbered.set(operation.id, id);
      operations.push({ ...operation, id, inputs: operation.inputs.map((input) => renumbered.get(input)!) });
    }
    const translate = (id: number): number => renumbered.get(id)!;
    return {
      operations,
      inputs: Object.fromEntries(Object.entries(this.#inputs).map(([name, id]) => [name, translate(id)])),
      outputs: Object.fromEntries(
        Object.entries(outputs).map(([name, output]) => [name, translate(output.id)]),
      ),
    };
  }

  #append(name: string, attributes: Attributes, inputs: readonly Tensor[], type: TensorType): Tensor {
    const id = this.#operations.length;
    const origin = this.origin();
    this.#operations.push({
      id,
      name,
      attributes,
      inputs: inputs.map((input) => input.id),
      type,
      ...(originText(origin) === '' ? {} : { origin }),
    });
    return { recorder: this, id, type, shape: type.shape };
  }
}

/**
 * The tape of a function.
 *
 * @param inputTypes shape and type of each named input
 * @param build the function, called once with symbolic tensors; what it returns are the tape's outputs
 * @throws ShapeError for an input with an impossible shape, and whatever an operation in `build` refuses; the message ends
 *   with the line of the caller's code at which it was met.
 */
export function trace<Name extends string>(
  inputTypes: Readonly<Record<Name, TensorType>>,
  build: (inputs: Record<Name, Tensor>) => Readonly<Record<string, Tensor>>,
): Tape {
  const recorder = new Recorder();
  const entries = Object.entries(inputTypes) as [Name, TensorType][];
  try {
    const inputs = Object.fromEntries(
      entries.map(([name, type]) => [name, recorder.input(name, type)]),
    ) as Record<Name, Tensor>;
    return recorder.finish(build(inputs));
  } catch (error) {
    // What a composition refuses before it records anything is told from the error's own stack.
    throw error instanceof ShapeError ? locate(error, originSentence(captureOrigin(error.stack))) : error;
  }
}

function requireExtents(what: string, shape: Shape): void {
  if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
    throw new ShapeError(
      `${what} has shape ${shapeText(shape)}; every extent must be a whole number of at least 1.`,
    );
  }
}
