/**
 * Gradient through training. The way forward takes N inner steps; the way back starts from the outer loss's gradient by
 * θ_N and carries the adjoint back through every step, adding up what each contributes to the gradient by the training
 * set and the hyperparameters. A step is compiled once for each batch size and replayed: compile time and host work do
 * not grow with N. Nothing is read back inside.
 */
import { ShapeError } from '../../errors.js';
import { type BufferRange, BYTES, copyRange, type Numbers } from '../compile/bufferRange.js';
import type { Plan } from '../compile/plan.js';
import { BatchQueue } from './batches.js';
import type { Observation } from './observer.js';
import { checkRows, pathWeightsOf, type Trajectory, type UnrollOptions } from './options.js';
import { buildParts, type Parts } from './parts.js';
import { atStep } from './sharedMemory.js';
import type { StepPlans } from './stepPlans.js';
import { adjointNames, onTape, stateTypes } from './tapes.js';

/** Owns the memory and the plans of an unrolled training. Make it with `Unroll.create`; give it back with `release`. */
export class Unroll {
  readonly #parts: Parts;
  readonly #queue: BatchQueue;
  readonly #streams: BatchQueue;
  /** First step that the way back reaches. */
  readonly #firstStep: number;
  readonly #unwritten: Set<string>;

  private constructor(parts: Parts) {
    const { device, steps, truncate = steps } = parts.options;
    this.#parts = parts;
    this.#queue = new BatchQueue(device);
    this.#streams = new BatchQueue(device);
    this.#firstStep = steps - truncate;
    this.#unwritten = new Set(Object.keys(parts.shared.inputs));
  }

  /**
   * Compiles the steps and the outer objective.
   *
   * @throws ShapeError when a setting does not fit, or the hypergradient does not depend on one of `wrt`.
   * @throws DeviceError when the memory does not fit the device, or a `mixed` budget.
   */
  static async create(options: UnrollOptions): Promise<Unroll> {
    return new Unroll(await buildParts(options));
  }

  /**
   * Device memory of each table and hyperparameter; [N, …] for those with a value at each step. Each is to be written with
   * `write` before the first `submit`; from then on plans may change it in place.
   */
  get inputs(): Readonly<Record<string, BufferRange>> {
    return this.#parts.shared.inputs;
  }

  /** Device memory of the gradient by each of `wrt`, of its shape; [N, …] for those with a value at each step. */
  get gradients(): Readonly<Record<string, BufferRange>> {
    return this.#parts.shared.gradients;
  }

  /** Bytes of device memory held, but for the row numbers of the batches and the streams of a trajectory. */
  get memory(): number {
    return this.#parts.memory;
  }

  /** Number of steps, the last ones, whose intermediates are kept rather than computed again. */
  get keptSteps(): number {
    return this.#parts.steps.keptSteps;
  }

  /**
   * Writes a table, a hyperparameter or an input of the outer objective.
   * @throws ShapeError when there is none of that name, or the count or type of the numbers does not fit.
   */
  write(name: string, data: Numbers): void {
    const { options, description, shared, outer } = this.#parts;
    const range = shared.inputs[name];
    if (range === undefined) {
      if (name !== 'theta' && Object.hasOwn(outer.inputs, name)) {
        outer.write(name, data);
        return;
      }
      const known = [...Object.keys(shared.inputs), ...Object.keys(outer.inputs)].filter(
        (each) => each !== 'theta',
      );
      throw new ShapeError(`unroll: there is no input '${name}'; the inputs are ${known.join(', ')}.`);
    }
    const { tables, hyperparameters } = description.problem;
    const isInteger = (tables[name] ?? hyperparameters?.[name])?.dataType === 'i32';
    if (data.length * BYTES !== range.bytes || data instanceof Int32Array !== isInteger) {
      throw new ShapeError(
        `unroll: input '${name}' needs ${range.bytes / BYTES} ${isInteger ? 'i32' : 'f32'} numbers, but ` +
          `${data.length} of ${data instanceof Int32Array ? 'i32' : 'f32'} were given.`,
      );
    }
    options.device.write(range.buffer, data, range.offset);
    this.#unwritten.delete(name);
  }

  /**
   * Submits one hypergradient. Nothing is read back; the gradients are in `gradients` when the device has done its work.
   *
   * @throws ShapeError when the trajectory does not fit what was compiled.
   */
  submit(trajectory: Trajectory): void {
    this.#prepare(trajectory);
    const { steps } = this.#parts.options;
    const { batches } = trajectory;
    for (let step = 0; step < steps; step++) this.#submitForward(step, batches[step]!.length);
    this.#submitTurn(steps);
    for (let step = steps - 1; step >= this.#firstStep; step--) {
      this.#submitReverse(step, batches[step]!.length);
    }
  }

  /** The outer loss of the last hypergradient; a sum over the path where weights were given. Waits for the device. */
  async loss(): Promise<number> {
    const { options } = this.#parts;
    const values = await this.#readSteps(options.steps);
    return pathWeightsOf(options).reduce((total, w, k) => (w === 0 ? total : total + w * values[k]!), 0);
  }

  /** Inner loss of each step of the last hypergradient, before the step [N]. */
  async innerLosses(): Promise<Float32Array> {
    return await this.#readSteps(0);
  }

  /**
   * θ_n of the last hypergradient.
   * @param step n, from the first step that the gradient reaches (0 unless truncated) to N
   * @throws ShapeError for a step that is not kept.
   */
  async parametersAt(step: number): Promise<Float32Array> {
    const { options, path } = this.#parts;
    if (!Number.isInteger(step) || step < this.#firstStep || step > options.steps) {
      throw new ShapeError(
        `unroll: θ_${step} was not kept; the path holds θ_${this.#firstStep} to θ_${options.steps}.`,
      );
    }
    return await this.read(path.range(step - this.#firstStep, 0, options.problem.parameters * BYTES));
  }

  /** The outer loss's gradient by θ_0, or by θ_{N−k} where truncated to the last k steps [parameters]. */
  async adjointAtStart(): Promise<Float32Array> {
    return await this.read(this.#parts.shared.onTape[onTape.adjoint('theta')]!);
  }

  /**
   * The gradient by one of `wrt`.
   * @throws ShapeError for a name that is not among them.
   */
  async gradient(name: string): Promise<Float32Array> {
    const range = this.gradients[name];
    if (range === undefined) {
      const known = Object.keys(this.gradients).join(', ');
      throw new ShapeError(`unroll: no gradient is taken by '${name}'; wrt is ${known}.`);
    }
    return await this.read(range);
  }

  /** What `observe` asked to see of the last hypergradient. Waits for the device. */
  async observation(): Promise<Observation> {
    return await this.#parts.observer.read();
  }

  /** Reads a range of this unroll's. */
  async read({ buffer, offset, bytes }: BufferRange): Promise<Float32Array> {
    return new Float32Array(await this.#parts.options.device.read(buffer, offset, bytes));
  }

  /** Gives all memory back. The unroll is not used afterwards. */
  release(): void {
    this.#parts.release();
    this.#queue.release();
    this.#streams.release();
  }

  #prepare({ start, batches, outer = {}, streams }: Trajectory): void {
    const { options, description, shared } = this.#parts;
    const { device, steps, problem } = options;
    const refuse = (message: string): never => {
      throw new ShapeError(`unroll: ${message}`);
    };
    if (batches.length !== steps)
      refuse(`${steps} steps were compiled, but ${batches.length} batches were given.`);
    if (start.length !== problem.parameters) {
      refuse(`start has ${start.length} elements, but the problem has ${problem.parameters} parameters.`);
    }
    for (const { length } of batches) this.#plansFor(steps - 1, length);
    checkRows(problem, batches);
    if (this.#unwritten.size > 0) {
      refuse(`these inputs were never written: ${[...this.#unwritten].join(', ')}. Write them first.`);
    }
    if (this.#parts.steps.readsStream) {
      if (streams?.length !== steps || streams.some(({ length }) => length !== 4)) {
        refuse(`the inner loss draws random numbers; give ${steps} streams of four i32, one a step.`);
      }
      this.#streams.load(streams!);
    }
    for (const [name, data] of Object.entries(outer)) this.write(name, data);
    this.#parts.outer.requireWritten();
    this.#queue.load(batches);
    device.write(shared.onTape[onTape.state('theta')]!.buffer, start);
    for (const [name, { start: value }] of Object.entries(description.optimiser.state)) {
      const { buffer, bytes } = shared.onTape[onTape.state(name)]!;
      device.write(buffer, new Float32Array(bytes / BYTES).fill(value));
    }
  }

  #plansFor(step: number, batchSize: number): StepPlans {
    const { steps, options } = this.#parts;
    const plans = steps.plansFor(step, batchSize);
    if (plans === undefined) {
      const known = [...new Set(options.batchSizes)].join(', ');
      throw new ShapeError(
        `unroll: no step was compiled for a batch of ${batchSize}; batch sizes are ${known}.`,
      );
    }
    return plans;
  }

  /** N of the losses, which lie side by side. */
  async #readSteps(first: number): Promise<Float32Array> {
    const { losses, options } = this.#parts;
    return await this.read({ ...losses.range(first), bytes: options.steps * BYTES });
  }

  #submitForward(step: number, batchSize: number): void {
    const { losses, steps } = this.#parts;
    const { forward, kept } = this.#plansFor(step, batchSize);
    this.#submit((encoder) => {
      this.#encodeInputs(encoder, step, forward);
      if (step >= this.#firstStep) this.#encodePath(encoder, step, 'keep');
      forward.encode(encoder);
      copyRange(encoder, forward.outputs.loss!, losses.range(step));
      if (kept !== null) kept.encodeKeep(encoder, steps.keptSlot(step, kept));
      // From the first step that the way back reaches, it computes the outer losses with their gradients.
      if (step < this.#firstStep) this.#encodeOuterLoss(encoder, step + 1);
    });
  }

  /** Between the ways: θ_N is kept, adjoints and sums start at zero, and θ_N's own outer loss is the first adjoint. */
  #submitTurn(steps: number): void {
    const { description, shared, observer } = this.#parts;
    this.#submit((encoder) => {
      this.#encodePath(encoder, steps, 'keep');
      const adjoints = adjointNames(description).map((name) => shared.onTape[onTape.adjoint(name)]!);
      for (const { buffer, offset, bytes } of [...adjoints, ...Object.values(shared.gradients)]) {
        encoder.clearBuffer(buffer, offset, bytes);
      }
      this.#encodeOuterGradient(encoder, steps);
      observer.encodeNorm(encoder, steps);
    });
  }

  #submitReverse(step: number, batchSize: number): void {
    const { options, description, shared, observer, steps } = this.#parts;
    const { reverse, kept } = this.#plansFor(step, batchSize);
    this.#submit((encoder) => {
      this.#encodeInputs(encoder, step, reverse);
      this.#encodePath(encoder, step, 'restore');
      if (kept !== null) kept.encodeRestore(encoder, steps.keptSlot(step, kept));
      reverse.encode(encoder);
      for (const name of description.perStep) {
        const own = reverse.outputs[onTape.own(name)];
        if (own !== undefined) copyRange(encoder, own, atStep(shared.gradients[name]!, step, options.steps));
      }
      observer.encodeContributions(encoder, step, reverse);
      if (step > this.#firstStep) this.#encodeOuterGradient(encoder, step);
      observer.encodeNorm(encoder, step);
    });
  }

  #encodeInputs(encoder: GPUCommandEncoder, step: number, plan: Plan): void {
    const { options, description, shared } = this.#parts;
    const { batch, stream } = plan.inputs;
    if (batch !== undefined) this.#queue.encode(encoder, step, batch);
    if (stream !== undefined) this.#streams.encode(encoder, step, stream);
    for (const name of description.perStep) {
      const current = shared.onTape[onTape.hyperparameter(name)]!;
      copyRange(encoder, atStep(shared.inputs[name]!, step, options.steps), current);
    }
  }

  /** Copies the state before a step into its slot of the path, or back. */
  #encodePath(encoder: GPUCommandEncoder, step: number, direction: 'keep' | 'restore'): void {
    const { description, shared, path } = this.#parts;
    for (const name of Object.keys(stateTypes(description))) {
      const current = shared.onTape[onTape.state(name)]!;
      const slot = path.range(step - this.#firstStep, shared.stateOffsets[name]!, current.bytes);
      if (direction === 'keep') copyRange(encoder, current, slot);
      else copyRange(encoder, slot, current);
    }
  }

  #encodeOuterLoss(encoder: GPUCommandEncoder, n: number): boolean {
    const { outer, losses, options } = this.#parts;
    if (pathWeightsOf(options)[n - 1] === 0) return false;
    outer.encode(encoder);
    copyRange(encoder, outer.outputs.loss!, losses.range(options.steps + n - 1));
    return true;
  }

  /** Adds the gradient of w_n·L(θ_n) to the adjoint; θ holds θ_n. */
  #encodeOuterGradient(encoder: GPUCommandEncoder, n: number): void {
    if (!this.#encodeOuterLoss(encoder, n)) return;
    const { addWeighted, weights, options } = this.#parts;
    copyRange(encoder, atStep(weights, n - 1, options.steps), addWeighted.inputs.weight!);
    addWeighted.encode(encoder);
  }

  #submit(encode: (encoder: GPUCommandEncoder) => void): void {
    this.#parts.options.device.submit(encode);
  }
}
