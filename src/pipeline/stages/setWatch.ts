/** The numbers of a distillation that are watched, and what is said when one is no number any more. */
import type { BufferRange } from '../../autograd/compile/bufferRange.js';
import { BYTES } from '../../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../../autograd/compile/plan.js';
import { dot } from '../../autograd/ops/reduce.js';
import { f32 } from '../../autograd/tape.js';
import { trace } from '../../autograd/trace.js';
import type { Device } from '../../gpu/device.js';
import type { Config } from '../config/schema.js';
import { lower, requireFinite } from './finite.js';

type Settings = Config['distil'];

/** What is seen of an iteration before its update is judged. */
export interface SeenBefore {
  readonly loss: number;
  /** The gradient by α; null where α is not learnt. */
  readonly slope: number | null;
  readonly norms: readonly (readonly [name: string, norm: number])[];
}

const RATES = ['distil.pixels.learningRate', 'distil.innerStep.learningRate', 'distil.targets.learningRate'];

const where = (iteration: number): string => `of the stage distil at iteration ${iteration}`;

/** @throws NumericsError when the loss or a gradient is no number. */
export function requireFiniteLoss({ loss, slope, norms }: SeenBefore, iteration: number, distil: Settings) {
  const remedy = lower({ distil }, ...RATES, 'distil.innerStep.initial');
  requireFinite(loss, `the trajectory loss ${where(iteration)}`, remedy);
  requireFinite(slope ?? 0, `the gradient by the inner step α ${where(iteration)}`, remedy);
  for (const [name, norm] of norms) requireFinite(norm, `the ${name} ${where(iteration)}`, remedy);
}

/** @throws NumericsError when the update has left α, or a tensor of whose elements this is the sum of squares, without numbers. */
export function requireFiniteUpdate(
  innerStep: number,
  squares: readonly (readonly [name: string, square: number])[],
  iteration: number,
  distil: Settings,
): void {
  requireFinite(
    innerStep,
    `the inner step α after its update ${where(iteration)}`,
    lower({ distil }, 'distil.innerStep.learningRate'),
  );
  for (const [name, square] of squares) {
    const remedy = lower({ distil }, `distil.${name}.learningRate`);
    requireFinite(square, `the sum of squares of the ${name} after their update ${where(iteration)}`, remedy);
  }
}

/** The sums of squares of tensors on the device: a number as long as all their elements are numbers, and none is beyond 1e19. */
export class SetWatch {
  readonly #plan: Plan | null;

  private constructor(plan: Plan | null) {
    this.#plan = plan;
  }

  /** @param ranges where each tensor lies, by its name in messages */
  static async create(device: Device, ranges: Readonly<Record<string, BufferRange>>): Promise<SetWatch> {
    const entries = Object.entries(ranges);
    if (entries.length === 0) return new SetWatch(null);
    const types = Object.fromEntries(entries.map(([name, { bytes }]) => [name, f32(bytes / BYTES)]));
    const tape = trace(types, (inputs) =>
      Object.fromEntries(entries.map(([name]) => [name, dot(inputs[name]!, inputs[name]!)])),
    );
    return new SetWatch(await compile(tape, device, { label: 'watch', inputs: ranges }));
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
