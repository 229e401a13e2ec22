/** What can be seen of a reverse sweep, and what is read off it. */

/** What may be observed: `adjointNorms`, ‖λ_n‖ of every θ_n; `contributions`, each step's own part of every gradient. */
export type Observable = 'adjointNorms' | 'contributions';

/** What was seen of one hypergradient. Entries for steps that a truncated sweep did not reach are NaN, or zeros. */
export interface Observation {
  /** ‖λ_n‖, the norm of the outer loss's gradient by θ_n, for n from 0 to N [N + 1]. */
  readonly adjointNorms?: Float64Array;
  /** For each of `wrt`, step n's own part of its gradient, n from 0 to N − 1; their sum is the gradient. */
  readonly contributions?: Readonly<Record<string, readonly Float32Array[]>>;
}

/**
 * Cosine of the gradient truncated to the last k steps to the exact one, for k from 1 to N, from each step's own part
 * (`Observation.contributions` of one table). 1 where both are zero; 0 where one is.
 */
export function truncationCosines(contributions: readonly ArrayLike<number>[]): Float64Array {
  const steps = contributions.length;
  const size = contributions[0]?.length ?? 0;
  const exact = new Float64Array(size);
  for (const part of contributions) for (let i = 0; i < size; i++) exact[i]! += part[i]!;
  const truncated = new Float64Array(size);
  const inner = (a: Float64Array, b: Float64Array): number =>
    a.reduce((total, value, i) => total + value * b[i]!, 0);
  const exactNorm = Math.sqrt(inner(exact, exact));
  return Float64Array.from({ length: steps }, (_, index) => {
    const part = contributions[steps - 1 - index]!;
    for (let i = 0; i < size; i++) truncated[i]! += part[i]!;
    const norm = Math.sqrt(inner(truncated, truncated));
    if (norm === 0 || exactNorm === 0) return norm === exactNorm ? 1 : 0;
    return inner(truncated, exact) / (norm * exactNorm);
  });
}
