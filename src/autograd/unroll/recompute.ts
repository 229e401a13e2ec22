/**
 * Gradient through training in recompute mode: the forward sweep keeps θ_0 … θ_N only; the reverse sweep rebuilds each
 * step's derivatives from θ_n. Memory grows with N by one θ a step; one step is compiled once and replayed.
 */
import { ShapeError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { allocateRange, type BufferRange, BYTES, copyRange } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { sizeOf } from '../tape.js';
import { BatchQueue } from './batches.js';
import { forwardTape, type InnerProblem, reverseTape, trajectoryLossTape } from './tapes.js';

export interface UnrollOptions {
  readonly device: Device;
  readonly problem: InnerProblem;
  /** Number of inner steps N. */
  readonly steps: number;
  /** Sizes that batches may have; each is compiled once. */
  readonly batchSizes: readonly number[];
}

/** What one hypergradient starts from. The images, targets and learning rate lie on the device already. */
export interface Trajectory {
  /** θ_0, the expert's parameters at the start [parameters]. */
  readonly start: Float32Array;
  /** θ*, the expert's parameters to arrive at. */
  readonly target: Float32Array;
  /** Row numbers of each inner step's batch; N of them. */
  readonly batches: readonly Int32Array[];
}

interface StepPlans {
  readonly forward: Plan;
  readonly reverse: Plan;
}

/** Owns the memory and the plans of an unrolled training. Make it with `Unroll.create`; give it back with `release`. */
export class Unroll {
  /** Device memory to write the synthetic set to, and to read its gradients from. */
  readonly images: BufferRange;
  readonly targets: BufferRange;
  readonly learningRate: BufferRange;
  readonly dImages: BufferRange;
  readonly dTargets: BufferRange | null;
  readonly dLearningRate: BufferRange;
  readonly #options: UnrollOptions;
  readonly #plans = new Map<number, StepPlans>();
  readonly #outer: Plan;
  readonly #queue: BatchQueue;
  readonly #shared: Readonly<Record<string, BufferRange>>;
  readonly #path: GPUBuffer;
  readonly #losses: GPUBuffer;
  readonly #zeros: readonly BufferRange[];

  private constructor(options: UnrollOptions, shared: Readonly<Record<string, BufferRange>>, outer: Plan) {
    const { device, problem, steps } = options;
    this.#options = options;
    this.#shared = shared;
    this.#outer = outer;
    this.#queue = new BatchQueue(device);
    this.#path = device.acquireBuffer((steps + 1) * problem.parameters * BYTES, 'unroll.path');
    this.#losses = device.acquireBuffer(steps * BYTES, 'unroll.innerLosses');
    this.images = shared.images!;
    this.targets = shared.targets!;
    this.learningRate = shared.learningRate!;
    this.dImages = shared.d_images!;
    this.dTargets = shared.d_targets ?? null;
    this.dLearningRate = shared.d_learningRate!;
    this.#zeros = [this.dImages, this.dLearningRate, ...(this.dTargets === null ? [] : [this.dTargets])];
  }

  /** Compiles the steps and the outer loss. */
  static async create(options: UnrollOptions): Promise<Unroll> {
    const { device, problem, batchSizes } = options;
    const allocate = (name: string, elements: number): BufferRange =>
      allocateRange(device, elements, `unroll.${name}`);
    const imageElements = sizeOf(problem.images);
    const targetElements = sizeOf(problem.targets.shape);
    const shared: Record<string, BufferRange> = {
      theta: allocate('theta', problem.parameters),
      adjoint: allocate('adjoint', problem.parameters),
      images: allocate('images', imageElements),
      targets: allocate('targets', targetElements),
      learningRate: allocate('learningRate', 1),
      d_images: allocate('d_images', imageElements),
      d_learningRate: allocate('d_learningRate', 1),
    };
    if (problem.targets.dataType === 'f32') shared.d_targets = allocate('d_targets', targetElements);

    const outer = await compile(trajectoryLossTape(problem.parameters), device, { label: 'trajectoryLoss' });
    const unrolled = new Unroll(options, shared, outer);
    for (const size of new Set(batchSizes)) {
      const forward = await compile(forwardTape(problem, size), device, {
        label: `innerStep${size}`,
        inputs: shared,
        carry: { next: 'theta' },
      });
      const reverse = await compile(reverseTape(problem, size), device, {
        label: `reverseStep${size}`,
        inputs: shared,
        overwrite: ['d_images', 'd_targets'],
        carry: { adjoint: 'adjoint', d_learningRate: 'd_learningRate' },
      });
      unrolled.#plans.set(size, { forward, reverse });
    }
    return unrolled;
  }

  /** Device memory held, bytes. */
  get memory(): number {
    const plans = [...this.#plans.values()].flatMap(({ forward, reverse }) => [forward, reverse]);
    const ranges = Object.values(this.#shared).reduce((total, { bytes }) => total + bytes, 0);
    return [...plans, this.#outer].reduce((total, plan) => total + plan.memory, ranges + this.#path.size);
  }

  /**
   * Submits one hypergradient. Nothing is read back; the gradients are in `dImages`, `dTargets` and `dLearningRate` when
   * the device has done its work.
   */
  submit({ start, target, batches }: Trajectory): void {
    const { device, problem, steps } = this.#options;
    if (batches.length !== steps) {
      throw new ShapeError(`unroll: ${steps} steps were compiled, but ${batches.length} batches were given.`);
    }
    const pathRange = (step: number): BufferRange => ({
      buffer: this.#path,
      offset: step * problem.parameters * BYTES,
      bytes: problem.parameters * BYTES,
    });
    const theta = this.#shared.theta!;
    this.#queue.load(batches);
    device.write(theta.buffer, start);
    this.#outer.write('start', start);
    this.#outer.write('target', target);

    batches.forEach((batch, step) => {
      const { forward } = this.#plansFor(batch.length);
      this.#submit((encoder) => {
        this.#queue.encode(encoder, step, forward.inputs.batch!);
        copyRange(encoder, theta, pathRange(step));
        forward.encode(encoder);
        copyRange(encoder, forward.outputs.loss!, {
          buffer: this.#losses,
          offset: step * BYTES,
          bytes: BYTES,
        });
      });
    });

    this.#submit((encoder) => {
      copyRange(encoder, theta, pathRange(steps));
      copyRange(encoder, theta, this.#outer.inputs.end!);
      this.#outer.encode(encoder);
      copyRange(encoder, this.#outer.outputs.adjoint!, this.#shared.adjoint!);
      for (const { buffer, offset, bytes } of this.#zeros) encoder.clearBuffer(buffer, offset, bytes);
    });

    for (let step = steps - 1; step >= 0; step--) {
      const { reverse } = this.#plansFor(batches[step]!.length);
      this.#submit((encoder) => {
        this.#queue.encode(encoder, step, reverse.inputs.batch!);
        copyRange(encoder, pathRange(step), theta);
        reverse.encode(encoder);
      });
    }
  }

  /** The trajectory loss (eq. 4) of the last hypergradient. Waits for the device. */
  async loss(): Promise<number> {
    return (await this.#outer.read('loss'))[0]!;
  }

  /** Inner loss of each step of the last hypergradient [N]. */
  async innerLosses(): Promise<Float32Array> {
    return await this.read({ buffer: this.#losses, offset: 0, bytes: this.#options.steps * BYTES });
  }

  /** θ_n of the last hypergradient, n from 0 to N. */
  async parametersAt(step: number): Promise<Float32Array> {
    const bytes = this.#options.problem.parameters * BYTES;
    return await this.read({ buffer: this.#path, offset: step * bytes, bytes });
  }

  /** λ_0: the trajectory loss's gradient by the start of the unroll. */
  async adjointAtStart(): Promise<Float32Array> {
    return await this.read(this.#shared.adjoint!);
  }

  /** Reads one of this unroll's ranges. */
  async read({ buffer, offset, bytes }: BufferRange): Promise<Float32Array> {
    return new Float32Array(await this.#options.device.read(buffer, offset, bytes));
  }

  release(): void {
    for (const { forward, reverse } of this.#plans.values()) {
      forward.release();
      reverse.release();
    }
    this.#outer.release();
    this.#queue.release();
    const { device } = this.#options;
    for (const { buffer } of Object.values(this.#shared)) device.releaseBuffer(buffer);
    device.releaseBuffer(this.#path);
    device.releaseBuffer(this.#losses);
  }

  #plansFor(batchSize: number): StepPlans {
    const plans = this.#plans.get(batchSize);
    if (plans === undefined) {
      const known = [...this.#plans.keys()].join(', ');
      throw new ShapeError(
        `unroll: no step was compiled for a batch of ${batchSize}; batch sizes are ${known}.`,
      );
    }
    return plans;
  }

  #submit(encode: (encoder: GPUCommandEncoder) => void): void {
    const { gpu } = this.#options.device;
    const encoder = gpu.createCommandEncoder();
    encode(encoder);
    gpu.queue.submit([encoder.finish()]);
  }
}
