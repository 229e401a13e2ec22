/** What `compile` is asked for, held against the tape. */
import { ShapeError } from '../../errors.js';
import { sizeOf, type Tape, type TensorType, typeText } from '../tape.js';
import { BYTES } from './bufferRange.js';
import type { CompileOptions } from './plan.js';

/** @throws ShapeError when an option names what the tape does not have, or what it joins is of two types or sizes. */
export function requireOptions(
  tape: Tape,
  { outputs = {}, overwrite = [], carry = {} }: CompileOptions,
): void {
  const typeOf = (option: string, kind: 'inputs' | 'outputs', name: string): TensorType => {
    const lines = tape[kind];
    if (!Object.hasOwn(lines, name)) {
      throw new ShapeError(
        `compile: ${option} names '${name}'; the ${kind} are ${Object.keys(lines).join(', ')}.`,
      );
    }
    return tape.operations[lines[name]!]!.type;
  };
  for (const [name, { bytes }] of Object.entries(outputs)) {
    const type = typeOf('outputs', 'outputs', name);
    const wanted = sizeOf(type.shape) * BYTES;
    if (bytes === wanted) continue;
    throw new ShapeError(
      `compile: output '${name}' ${typeText(type)} takes ${wanted} bytes, but a range of ${bytes} was given.`,
    );
  }
  for (const name of overwrite) typeOf('overwrite', 'inputs', name);
  for (const [output, input] of Object.entries(carry)) {
    const from = typeText(typeOf('carry', 'outputs', output));
    const to = typeText(typeOf('carry', 'inputs', input));
    if (from === to) continue;
    throw new ShapeError(
      `compile: carry copies output '${output}' ${from} to input '${input}' ${to}; the two must be of one type.`,
    );
  }
}
