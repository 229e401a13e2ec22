/**
 * Training a model on data in device memory: one step is traced and compiled once for each batch size, the parameters and the
 * optimiser's state stay on the device, and row numbers are uploaded an epoch at a time.
 */
import { allocateRange, type BufferRange } from '../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../autograd/compile/plan.js';
import { gradient } from '../autograd/gradient.js';
import { gather } from '../autograd/ops/gather.js';
import { pack, segment } from '../autograd/ops/pack.js';
import { f32, i32, sizeOf, type Tape } from '../autograd/tape.js';
import { type Tensor, trace } from '../autograd/trace.js';
import { BatchQueue } from '../autograd/unroll/batches.js';
import { ShapeError } from '../errors.js';
import type { Device } from '../gpu/device.js';
import { stageRows, type TrainingImages } from './deviceImages.js';
import { LossRecord, RECORDED_STEPS } from './lossRecord.js';
import { type SgdSettings, sgdStep } from './optimisers/sgd.js';

/** The loss of a model whose θ ends in running statistics, and those statistics moved on by the batch. */
export interface LossWithStatistics {
  readonly loss: Tensor;
  /** They take the place of θ's last elements; nothing descends on them. */
  readonly statistics: Tensor;
}

/** What a step of training is. */
export interface TrainingStep {
  /** Elements of θ. */
  readonly parameters: number;
  loss(theta: Tensor, images: Tensor, targets: Tensor): Tensor | LossWithStatistics;
  readonly optimiser: SgdSettings;
}

/** θ with the statistics in place of its last elements. */
function withStatistics(theta: Tensor, statistics: Tensor): Tensor {
  const [total, count] = [sizeOf(theta.shape), sizeOf(statistics.shape)];
  return pack([segment(theta, 0, [total - count]), statistics], [0, total - count], total);
}

/** One step on a batch of `size` rows: inputs θ, momentum buffer, learning rate, data and row numbers. */
export function trainingTape(
  step: TrainingStep & Pick<TrainingImages, 'imageShape' | 'targetType'>,
  size: number,
): Tape {
  const types = {
    theta: f32(step.parameters),
    buffer: f32(step.parameters),
    learningRate: f32(),
    images: f32(...step.imageShape),
    targets: step.targetType,
    batch: i32(size),
  };
  return trace(types, ({ theta, buffer, learningRate, images, targets, batch }) => {
    const result = step.loss(theta, gather(images, batch), gather(targets, batch));
    const [loss, statistics] = 'loss' in result ? [result.loss, result.statistics] : [result, null];
    const [g] = gradient(loss, [theta]) as [Tensor];
    const next = sgdStep({ theta, gradient: g, buffer, learningRate }, step.optimiser);
    const moved = statistics === null ? next.theta : withStatistics(next.theta, statistics);
    return { theta: moved, buffer: next.buffer, loss };
  });
}

/** A training between two steps; with it another one of the same steps goes on to the same bits. */
export interface TrainingState {
  /** θ [parameters] */
  readonly theta: Float32Array;
  /** The momentum buffer [parameters]. */
  readonly momentum: Float32Array;
}

/** @throws ShapeError when θ or the momentum buffer has another length than a training named `label` has parameters. */
export function requireState(label: string, parameters: number, { theta, momentum }: TrainingState): void {
  for (const [name, { length }] of [
    ['θ', theta],
    ['the momentum buffer', momentum],
  ] as const) {
    if (length === parameters) continue;
    throw new ShapeError(
      `${label}: ${name} has ${length} elements, but the trainer was made for ${parameters}.`,
    );
  }
}

export interface TrainerOptions extends TrainingStep {
  readonly device: Device;
  readonly data: TrainingImages;
  readonly batchSizes: readonly number[];
  readonly label: string;
}

/** SGD on data in device memory. Owns θ, the momentum buffer and the step's plans. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #plans = new Map<number, Plan>();
  readonly #queue: BatchQueue;
  readonly #losses: LossRecord;
  readonly #shared: Readonly<Record<'theta' | 'buffer' | 'learningRate', BufferRange>>;

  private constructor(options: TrainerOptions) {
    const { device, parameters, label } = options;
    const allocate = (name: string, elements: number): BufferRange =>
      allocateRange(device, elements, `${label}.${name}`);
    this.#options = options;
    this.#queue = new BatchQueue(device);
    // For an epoch: how many steps are submitted together depends on how long they take, and the memory is not to.
    this.#queue.reserve(options.data.count);
    this.#losses = new LossRecord(device, label);
    this.#shared = {
      theta: allocate('theta', parameters),
      buffer: allocate('momentum', parameters),
      learningRate: allocate('learningRate', 1),
    };
  }

  static async create(options: TrainerOptions): Promise<Trainer> {
    const trainer = new Trainer(options);
    const { device, data, parameters, optimiser, label } = options;
    try {
      for (const size of new Set(options.batchSizes)) {
        const tape = trainingTape({ ...data, parameters, optimiser, loss: options.loss }, size);
        const inputs = { ...trainer.#shared, images: data.images, targets: data.targets };
        const carry = { theta: 'theta', buffer: 'buffer' };
        trainer.#plans.set(size, await compile(tape, device, { label: `${label}${size}`, inputs, carry }));
      }
      return trainer;
    } catch (error) {
      trainer.release();
      throw error;
    }
  }

  /**
   * Starts from θ [parameters], with an empty momentum buffer.
   * @throws ShapeError when θ has another length.
   */
  start(theta: Float32Array, learningRate: number): void {
    this.restore({ theta, momentum: new Float32Array(theta.length) }, learningRate);
  }

  /**
   * Goes on from another training's `state`.
   * @throws ShapeError when θ or the momentum buffer has another length.
   */
  restore(state: TrainingState, learningRate: number): void {
    const { device, parameters, label } = this.#options;
    requireState(label, parameters, state);
    this.#losses.clear();
    device.write(this.#shared.theta.buffer, state.theta);
    device.write(this.#shared.buffer.buffer, state.momentum);
    device.write(this.#shared.learningRate.buffer, Float32Array.of(learningRate));
  }

  /**
   * Submits one step a batch. Where the data has a window, each step's rows are put into it ahead of the step; otherwise all
   * is submitted when the call returns, unless so many steps were made that their losses must be read first.
   * @throws ShapeError for a batch of a size that was not compiled.
   */
  async submit(batches: readonly Int32Array[]): Promise<void> {
    const { data } = this.#options;
    if (data.window === undefined) {
      for (let start = 0; start < batches.length; start += RECORDED_STEPS) {
        const some = batches.slice(start, start + RECORDED_STEPS);
        if (!this.#losses.hasRoom(some.length)) await this.#losses.makeRoom(some.length);
        this.#submitStaged(some);
      }
      return;
    }
    for (const batch of batches) {
      this.#planFor(batch.length);
      await this.#losses.makeRoom(1);
      this.#submitStaged([await stageRows(data, batch)]);
    }
  }

  /** Submits one step a batch of rows by their numbers in device memory. */
  #submitStaged(batches: readonly Int32Array[]): void {
    this.#queue.load(batches);
    batches.forEach((batch, step) => {
      const plan = this.#planFor(batch.length);
      this.#options.device.submit((encoder) => {
        this.#queue.encode(encoder, step, plan.inputs.batch!);
        plan.encode(encoder);
        this.#losses.encode(encoder, plan.outputs.loss!);
      });
    });
  }

  /** Waits for everything that was submitted. */
  async settle(): Promise<void> {
    await this.#options.device.settle();
  }

  /** θ as it is after everything that was submitted. Waits for the device. */
  async parameters(): Promise<Float32Array> {
    return await this.#read(this.#shared.theta);
  }

  /** All that the next step depends on, but for the learning rate. Waits for the device. */
  async state(): Promise<TrainingState> {
    return { theta: await this.parameters(), momentum: await this.#read(this.#shared.buffer) };
  }

  /** The loss of every step since the last time, or since the start, before each step. Waits for the device. */
  async losses(): Promise<Float32Array> {
    return await this.#losses.take();
  }

  /** Loss of the last batch of that size. Waits for the device. */
  async lastLoss(batchSize: number): Promise<number> {
    return (await this.#planFor(batchSize).read('loss'))[0]!;
  }

  async #read({ buffer, offset, bytes }: BufferRange): Promise<Float32Array> {
    return new Float32Array(await this.#options.device.read(buffer, offset, bytes));
  }

  #planFor(batchSize: number): Plan {
    const plan = this.#plans.get(batchSize);
    if (plan === undefined) {
      const known = [...this.#plans.keys()].join(', ');
      throw new ShapeError(
        `${this.#options.label}: no step was compiled for a batch of ${batchSize}; batch sizes are ${known}.`,
      );
    }
    return plan;
  }

  release(): void {
    for (const plan of this.#plans.values()) plan.release();
    this.#queue.release();
    this.#losses.release();
    for (const { buffer } of Object.values(this.#shared)) this.#options.device.releaseBuffer(buffer);
  }
}

/** The sizes that batches of `batch` rows out of `rows` have: the full one, and the rest. */
export function batchSizesOf(rows: number, batch: number): number[] {
  const rest = rows % batch;
  return [...(rows >= batch ? [batch] : []), ...(rest > 0 ? [rest] : [])];
}

/** A permutation cut into batches; a short last one is kept. */
export function splitBatches(order: Int32Array, batch: number): Int32Array[] {
  return Array.from({ length: Math.ceil(order.length / batch) }, (_, k) =>
    order.subarray(k * batch, Math.min(order.length, (k + 1) * batch)),
  );
}
