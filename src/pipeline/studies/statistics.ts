/**
 * How much vectors of one distribution (gradients of random batches, displacements of trainings) agree. Everything follows
 * from their inner products G_ij = ⟨v_i, v_j⟩, in float64 on the host. With μ = E v and σ² = E‖v − μ‖², and n independent
 * draws:
 *
 *     variance S² = 1/(n−1) Σ_i ‖v_i − v̄‖² = (Σ_i G_ii − n‖v̄‖²)/(n−1)      E S² = σ²
 *     signal   M  = ‖v̄‖² − S²/n = 1/(n(n−1)) Σ_{i≠j} G_ij                  E M  = ‖μ‖²
 *
 * ‖v̄‖² itself is no estimate of ‖μ‖²: it is too large by σ²/n, which would make noise look like signal.
 */
import { ShapeError } from '../../errors.js';

/** Inner products ⟨v_i, v_j⟩ of n vectors of one length, row by row [n, n]. */
export function gramMatrix(vectors: readonly ArrayLike<number>[]): Float64Array {
  const n = vectors.length;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const [a, b] = [vectors[i]!, vectors[j]!];
      if (a.length !== b.length) {
        throw new ShapeError(`gramMatrix: vectors of ${a.length} and ${b.length} elements have no product.`);
      }
      let total = 0;
      for (let k = 0; k < a.length; k++) total += a[k]! * b[k]!;
      gram[i * n + j] = total;
      gram[j * n + i] = total;
    }
  }
  return gram;
}

/** Variance and signal of n vectors, from their inner products. */
export interface Noise {
  /** Number of vectors n. */
  readonly count: number;
  /** S², an unbiased estimate of the total variance E‖v − μ‖². */
  readonly variance: number;
  /** M, an unbiased estimate of ‖μ‖²; noise may take it below 0. */
  readonly signal: number;
  /**
   * S²/M, the noise-to-signal ratio E‖v − μ‖²/‖μ‖²: a quotient of unbiased estimates, and consistent. null where M is not
   * above 0: so few vectors do not show their mean.
   */
  readonly ratio: number | null;
  /** Standard error of the ratio by the jackknife: √((n−1)/n Σ_i (R_{−i} − R̄)²). null where one of the R_{−i} is. */
  readonly ratioError: number | null;
  /** Mean over pairs i < j of cos(v_i, v_j), an unbiased estimate of its expectation; null where a vector is 0. */
  readonly cosine: number | null;
}

/**
 * Variance, signal and agreement of n ≥ 2 vectors.
 *
 * @param gram their inner products [n, n]
 * @throws ShapeError for fewer than two vectors, or another number of inner products.
 */
export function noiseOf(gram: Float64Array, count: number): Noise {
  if (count < 2 || gram.length !== count * count) {
    throw new ShapeError(
      `noiseOf: ${gram.length} inner products do not belong to ${count} vectors; give n² of n ≥ 2.`,
    );
  }
  const { trace, total, rowSums } = sums(gram, count);
  const whole = estimate(trace, total, count);
  return {
    count,
    ...whole,
    ratioError: jackknife(gram, count, { trace, total, rowSums }),
    cosine: meanCosine(gram, count),
  };
}

/** ΣG_ii, ΣG_ij, and Σ_j G_ij of each i. */
interface Sums {
  readonly trace: number;
  readonly total: number;
  readonly rowSums: Float64Array;
}

function sums(gram: Float64Array, n: number): Sums {
  const rowSums = new Float64Array(n);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    trace += gram[i * n + i]!;
    for (let j = 0; j < n; j++) rowSums[i]! += gram[i * n + j]!;
  }
  return { trace, total: rowSums.reduce((sum, value) => sum + value, 0), rowSums };
}

function estimate(trace: number, total: number, n: number): Pick<Noise, 'variance' | 'signal' | 'ratio'> {
  const variance = (trace - total / n) / (n - 1);
  const signal = (total - trace) / (n * (n - 1));
  return { variance, signal, ratio: signal > 0 ? variance / signal : null };
}

function jackknife(gram: Float64Array, n: number, { trace, total, rowSums }: Sums): number | null {
  if (n < 3) return null;
  const ratios: number[] = [];
  for (let i = 0; i < n; i++) {
    const own = gram[i * n + i]!;
    const { ratio } = estimate(trace - own, total - 2 * rowSums[i]! + own, n - 1);
    if (ratio === null) return null;
    ratios.push(ratio);
  }
  const mean = ratios.reduce((sum, value) => sum + value, 0) / n;
  return Math.sqrt(((n - 1) / n) * ratios.reduce((sum, value) => sum + (value - mean) ** 2, 0));
}

function meanCosine(gram: Float64Array, n: number): number | null {
  const norms = Array.from({ length: n }, (_, i) => Math.sqrt(gram[i * n + i]!));
  if (norms.some((norm) => norm === 0)) return null;
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) total += gram[i * n + j]! / (norms[i]! * norms[j]!);
  }
  return total / ((n * (n - 1)) / 2);
}

/**
 * How far n trainings have come apart, against how far they have come: with displacements d_a = θ_t^(a) − θ_0^(a),
 *
 *     mean over a < b of ‖d_a − d_b‖²  /  mean over a of ‖d_a‖²
 *
 * two unbiased estimates, of 2σ² and of σ² + ‖μ‖². 0 where all go the same way; 2 where they share no direction at all.
 * null before anything has moved.
 *
 * @param gram inner products of the displacements [n, n]
 */
export function divergence(gram: Float64Array, count: number): number | null {
  const { variance } = noiseOf(gram, count);
  const square = sums(gram, count).trace / count;
  return square > 0 ? (2 * variance) / square : null;
}
