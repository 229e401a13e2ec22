import { encodeSafetensors, type NamedTensor } from '../../src/pipeline/store/safetensors.js';

const vector = (...values: number[]): NamedTensor => ({
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
});

export interface ReluCaseFaults {
  readonly kind?: string;
  readonly format?: string;
  /** The first number of a tensor, replaced. */
  readonly changed?: { readonly name: string; readonly value: number };
  readonly config?: Readonly<Record<string, unknown>>;
  readonly renamed?: { readonly from: string; readonly to: string };
}

/**
 * A reference case small enough to be worked out by hand, y = max(x, 0), or one with a fault: with the mask
 * m = [x > 0] it is d_x = m v, dd_v = m u_x and dd_x = 0.
 */
export function reluCase(faults: ReluCaseFaults = {}): Uint8Array {
  const tensors = new Map([
    ['in.x', vector(2, -1, 3)],
    ['in.v', vector(0.5, 0.25, -1)],
    ['in.u_x', vector(1, 2, 3)],
    ['out.y', vector(2, 0, 3)],
    ['out.d_x', vector(0.5, 0, -1)],
    ['out.dd_x', vector(0, 0, 0)],
    ['out.dd_v', vector(1, 0, 3)],
  ]);
  if (faults.changed) tensors.get(faults.changed.name)!.data[0] = faults.changed.value;
  if (faults.renamed) {
    const { from, to } = faults.renamed;
    tensors.set(to, tensors.get(from)!);
    tensors.delete(from);
  }
  const tolerance = Object.fromEntries(
    ['y', 'd_x', 'dd_x', 'dd_v'].map((name) => [name, { rel: 1e-6, abs: 1e-6 }]),
  );
  return encodeSafetensors(tensors, {
    format: faults.format ?? 'golden-1',
    kind: faults.kind ?? 'op',
    config: JSON.stringify(faults.config ?? { op: 'relu' }),
    tol: JSON.stringify(tolerance),
  });
}
