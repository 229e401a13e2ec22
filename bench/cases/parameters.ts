/** Parameters of a student as vectors. */
import { joinParameters } from '../../src/nn/parameters.js';
import type { NamedTensor, StudentCase } from './types.js';

/** Vectors end to end. */
function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** θ' − θ_0, end to end in the order of the parameters: what a step changed, rather than what it left. */
export function updateOf(start: readonly NamedTensor[], after: readonly Float32Array[]): Float32Array {
  return joined(after.map((values, k) => values.map((value, i) => value - start[k]!.data[i]!)));
}

/** θ as our model lays it out. */
export function flat({ model }: StudentCase, parameters: readonly NamedTensor[]): Float32Array {
  return joinParameters(
    model.parameters,
    Object.fromEntries(parameters.map(({ name, data }) => [name, data])),
  );
}
