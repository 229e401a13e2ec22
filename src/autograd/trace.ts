/**
 * Tracing: running a function once on symbolic tensors to obtain its tape. A tensor here is a place on a tape
 * under construction; operations (ops/) append to it. Equal operations on equal inputs are recorded once.
 */
import { ShapeError } from '../errors.js';
import type { Attributes, Operation, Shape, Tape, TensorType } from './tape.js';
import { shapeText } from './tape.js';

/** A symbolic value: one line of the tape that is being traced. */
export interface Tensor {
  readonly recorder: Recorder;
  readonly id: number;
  readonly type: TensorType;
  readonly shape: Shape;
}

/** Owns a tape while it grows. */
export class Recorder {
  readonly #operations: Operation[] = [];
  readonly #known = new Map<string, Tensor>();
  readonly #inputs: Record<string, number> = {};

  /** Declares an input of the tape. */
  input(name: string, type: TensorType): Tensor {
    if (Object.hasOwn(this.#inputs, name))
      throw new ShapeError(`trace: input '${name}' is declared twice; rename one.`);
    for (const extent of type.shape) {
      if (!Number.isInteger(extent) || extent < 1) {
        throw new ShapeError(
          `trace: input '${name}' has shape ${shapeText(type.shape)}; every extent must be a whole number of at least 1.`,
        );
      }
    }
    const tensor = this.#append('input', {}, [], type);
    this.#inputs[name] = tensor.id;
    return tensor;
  }

  /** Appends an operation, or returns the line that already computes it. */
  record(name: string, attributes: Attributes, inputs: readonly Tensor[], type: TensorType): Tensor {
    for (const input of inputs) {
      if (input.recorder !== this) {
        throw new ShapeError(`${name}: an operand belongs to another trace; pass it in as an input instead.`);
      }
    }
    const key = JSON.stringify([name, attributes, inputs.map((input) => input.id)]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const tensor = this.#append(name, attributes, inputs, type);
    this.#known.set(key, tensor);
    return tensor;
  }

  operation(id: number): Operation {
    return this.#operations[id]!;
  }

  tensor(id: number): Tensor {
    const { type } = this.operation(id);
    return { recorder: this, id, type, shape: type.shape };
  }

  get length(): number {
    return this.#operations.length;
  }

  /** The finished tape, with operations that no output needs left out (inputs stay). */
  finish(outputs: Readonly<Record<string, Tensor>>): Tape {
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
    this.#operations.push({ id, name, attributes, inputs: inputs.map((input) => input.id), type });
    return { recorder: this, id, type, shape: type.shape };
  }
}

/**
 * The tape of a function.
 *
 * @param inputTypes shape and type of each named input
 * @param build the function, called once with symbolic tensors; what it returns are the tape's outputs
 */
export function trace<Name extends string>(
  inputTypes: Readonly<Record<Name, TensorType>>,
  build: (inputs: Record<Name, Tensor>) => Readonly<Record<string, Tensor>>,
): Tape {
  const recorder = new Recorder();
  const entries = Object.entries(inputTypes) as [Name, TensorType][];
  const inputs = Object.fromEntries(
    entries.map(([name, type]) => [name, recorder.input(name, type)]),
  ) as Record<Name, Tensor>;
  return recorder.finish(build(inputs));
}
