/** Whether tensors that stay on the device are numbers still: one number of each is read. */
import { type BufferRange, BYTES } from '../../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../../autograd/compile/plan.js';
import { dot } from '../../autograd/ops/reduce.js';
import { f32 } from '../../autograd/tape.js';
import { trace } from '../../autograd/trace.js';
import type { Device } from '../../gpu/device.js';

/**
 * The sums of squares of tensors on the device: numbers as long as all elements are, and each sum is below the largest float32
 * (3.4e38).
 */
export class SquareSums {
  readonly #plan: Plan | null;

  private constructor(plan: Plan | null) {
    this.#plan = plan;
  }

  /** @param ranges where each tensor lies, by its name in messages */
  static async create(device: Device, ranges: Readonly<Record<string, BufferRange>>): Promise<SquareSums> {
    const entries = Object.entries(ranges);
    if (entries.length === 0) return new SquareSums(null);
    const types = Object.fromEntries(entries.map(([name, { bytes }]) => [name, f32(bytes / BYTES)]));
    const tape = trace(types, (inputs) =>
      Object.fromEntries(entries.map(([name]) => [name, dot(inputs[name]!, inputs[name]!)])),
    );
    return new SquareSums(await compile(tape, device, { label: 'watch', inputs: ranges }));
  }

  /** Submits the sums of the tensors as they are then. */
  submit(): void {
    this.#plan?.submit();
  }

  /** The sums of the last `submit`. Waits for the device. */
  async read(): Promise<(readonly [name: string, square: number])[]> {
    const plan = this.#plan;
    if (plan === null) return [];
    return await Promise.all(
      Object.keys(plan.outputs).map(async (name) => [name, (await plan.read(name))[0]!] as const),
    );
  }

  release(): void {
    this.#plan?.release();
  }
}
