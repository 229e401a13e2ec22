/** A model's outputs on many images, a batch at a time. */
import { compile, type Plan } from '../autograd/compile/plan.js';
import { gather } from '../autograd/ops/gather.js';
import { f32, i32 } from '../autograd/tape.js';
import { trace } from '../autograd/trace.js';
import type { Device } from '../gpu/device.js';
import { type DeviceImages, ENCODED_AT_ONCE, stageRows } from './deviceImages.js';
import type { Model } from './model.js';

export interface Encoded {
  /** [count, featureCount] */
  readonly features: Float32Array;
  /** [count, outputCount] */
  readonly outputs: Float32Array;
}

/** Owns the plans that encode one set of images with one model. */
export class Encoder {
  readonly #model: Model;
  readonly #data: DeviceImages;
  readonly #plans: ReadonlyMap<number, Plan>;

  private constructor(model: Model, data: DeviceImages, plans: ReadonlyMap<number, Plan>) {
    this.#model = model;
    this.#data = data;
    this.#plans = plans;
  }

  /** @param data images [C, H, W], all in device memory or with a window that the encoder moves */
  static async create(device: Device, model: Model, data: DeviceImages): Promise<Encoder> {
    const { count, images, imageShape } = data;
    const full = Math.min(ENCODED_AT_ONCE, count);
    const plans = new Map<number, Plan>();
    // The rest of a set that full batches do not divide goes in a smaller plan.
    try {
      for (const size of new Set([full, count % ENCODED_AT_ONCE || full])) {
        const types = { theta: f32(model.parameters.total), images: f32(...imageShape), batch: i32(size) };
        const tape = trace(types, (inputs) => {
          const { features, output } = model.forward(inputs.theta, gather(inputs.images, inputs.batch));
          return { features, output };
        });
        plans.set(size, await compile(tape, device, { label: `encode${size}`, inputs: { images } }));
      }
    } catch (error) {
      for (const plan of plans.values()) plan.release();
      throw error;
    }
    return new Encoder(model, data, plans);
  }

  /** Encodes the rows named (all by default) with parameters θ. */
  async encode(
    theta: Float32Array,
    rows: Int32Array = Int32Array.from({ length: this.#data.count }, (_, k) => k),
  ): Promise<Encoded> {
    const { featureCount, outputCount } = this.#model;
    const features = new Float32Array(rows.length * featureCount);
    const outputs = new Float32Array(rows.length * outputCount);
    for (const plan of this.#plans.values()) plan.write('theta', theta);
    const sizes = [...this.#plans.keys()].sort((a, b) => b - a);
    let at = 0;
    while (at < rows.length) {
      // Rows that fill no plan are padded with row 0 and the surplus is dropped.
      const size = sizes.find((candidate) => candidate <= rows.length - at) ?? sizes.at(-1)!;
      const batch = new Int32Array(size);
      batch.set(await stageRows(this.#data, rows.subarray(at, Math.min(rows.length, at + size))));
      const plan = this.#plans.get(size)!;
      plan.write('batch', batch);
      plan.submit();
      const [f, o] = await Promise.all([plan.read('features'), plan.read('output')]);
      const kept = Math.min(size, rows.length - at);
      features.set(f.subarray(0, kept * featureCount), at * featureCount);
      outputs.set(o.subarray(0, kept * outputCount), at * outputCount);
      at += kept;
    }
    return { features, outputs };
  }

  release(): void {
    for (const plan of this.#plans.values()) plan.release();
  }
}

/** Mean squared error of each row of two tables [count, row]. */
export function rowErrors(a: Float32Array, b: Float32Array, row: number): Float64Array {
  const errors = new Float64Array(a.length / row);
  for (let k = 0; k < errors.length; k++) {
    let total = 0;
    for (let i = k * row; i < (k + 1) * row; i++) total += (a[i]! - b[i]!) ** 2;
    errors[k] = total / row;
  }
  return errors;
}
