/**
 * Training by any loss of a random batch: its gradient is one compiled step a batch size, the descent along it another, and θ
 * stays on the device between them.
 */
import { allocateRange, type BufferRange, type Numbers } from '../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../autograd/compile/plan.js';
import { f32, type Tape } from '../autograd/tape.js';
import { trace } from '../autograd/trace.js';
import { ShapeError } from '../errors.js';
import type { Device } from '../gpu/device.js';
import type { StreamKey } from '../kernels/philox.js';
import { type DeviceImages, stageRows, type TrainingImages } from './deviceImages.js';
import { LossRecord } from './lossRecord.js';
import { type SgdSettings, sgdStep } from './optimisers/sgd.js';
import { requireState, type TrainingState } from './training.js';

/** Images on the device, with targets where the loss reads any. */
export type ObjectiveData = DeviceImages & Partial<Pick<TrainingImages, 'targets' | 'targetType'>>;

/** A loss of θ and a random batch, and how it is descended. */
export interface Objective {
  /** Its name in messages and profiles. */
  readonly name: string;
  /** Elements of θ. */
  readonly parameters: number;
  readonly optimiser: SgdSettings & { readonly learningRate: number };
  /** Inputs `theta`, `images`, `batch` and more; outputs `loss` and its `gradient` by θ. */
  tape(data: Pick<ObjectiveData, 'imageShape' | 'targetType'>, size: number): Tape;
  /** What a batch draws beside its rows, by the tape's inputs. */
  draw(key: StreamKey, size: number): Readonly<Record<string, Numbers>>;
}

/** One batch: rows of the images, and the stream that the rest of its draws come from. */
export interface Batch {
  readonly rows: Int32Array;
  readonly key: StreamKey;
}

/** Gradients of an objective on the device, and descent along them. Owns θ, the momentum buffer and the plans. */
export class ObjectiveSteps {
  readonly #device: Device;
  readonly #objective: Objective;
  readonly #data: ObjectiveData;
  readonly #gradients: ReadonlyMap<number, Plan>;
  readonly #update: Plan;
  readonly #owned: readonly BufferRange[];
  readonly #losses: LossRecord;

  private constructor(
    device: Device,
    objective: Objective,
    data: ObjectiveData,
    gradients: ReadonlyMap<number, Plan>,
    update: Plan,
    owned: readonly BufferRange[],
  ) {
    this.#device = device;
    this.#objective = objective;
    this.#data = data;
    this.#gradients = gradients;
    this.#update = update;
    this.#owned = owned;
    this.#losses = new LossRecord(device, objective.name);
  }

  static async create(
    device: Device,
    objective: Objective,
    data: ObjectiveData,
    sizes: readonly number[],
  ): Promise<ObjectiveSteps> {
    const { name, parameters, optimiser } = objective;
    const theta = allocateRange(device, parameters, `${name}.theta`);
    const g = allocateRange(device, parameters, `${name}.gradient`);
    const gradients = new Map<number, Plan>();
    try {
      for (const size of new Set(sizes)) {
        const tape = objective.tape(data, size);
        const shared = {
          theta,
          images: data.images,
          ...(data.targets === undefined ? {} : { targets: data.targets }),
        };
        const inputs = Object.fromEntries(
          Object.entries(shared).filter(([input]) => Object.hasOwn(tape.inputs, input)),
        );
        const label = `${name}${size}`;
        gradients.set(size, await compile(tape, device, { label, inputs, outputs: { gradient: g } }));
      }
      const types = {
        theta: f32(parameters),
        gradient: f32(parameters),
        buffer: f32(parameters),
        learningRate: f32(),
      };
      const update = await compile(
        trace(types, (inputs) => sgdStep(inputs, optimiser)),
        device,
        {
          label: `${name}.update`,
          inputs: { theta, gradient: g },
          carry: { theta: 'theta', buffer: 'buffer' },
        },
      );
      return new ObjectiveSteps(device, objective, data, gradients, update, [theta, g]);
    } catch (error) {
      for (const plan of gradients.values()) plan.release();
      for (const { buffer } of [theta, g]) device.releaseBuffer(buffer);
      throw error;
    }
  }

  /**
   * Goes to θ [parameters], with an empty momentum buffer, and the objective's learning rate or another.
   * @throws ShapeError when θ has another length.
   */
  start(theta: Float32Array, learningRate?: number): void {
    this.restore({ theta, momentum: new Float32Array(theta.length) }, learningRate);
  }

  /**
   * Goes on from another training's `state`, with the objective's learning rate or another.
   * @throws ShapeError when θ or the momentum buffer has another length.
   */
  restore(state: TrainingState, learningRate = this.#objective.optimiser.learningRate): void {
    requireState(this.#objective.name, this.#objective.parameters, state);
    this.#losses.clear();
    this.#update.write('learningRate', Float32Array.of(learningRate));
    this.#device.write(this.#owned[0]!.buffer, state.theta);
    this.#update.write('buffer', state.momentum);
  }

  /** The gradient of one batch at the present θ. Waits for the device. */
  async gradient(batch: Batch): Promise<Float32Array> {
    await this.#submitGradient(batch);
    return await this.#read(this.#owned[1]!);
  }

  /** Submits one step of SGD; wait for it to be submitted before the next. */
  async step(batch: Batch): Promise<void> {
    await this.#losses.makeRoom(1);
    await this.#submitGradient(batch);
    const { loss } = this.#planFor(batch.rows.length).outputs;
    this.#device.submit((encoder) => {
      this.#losses.encode(encoder, loss!);
      this.#update.encode(encoder);
    });
  }

  /** θ after everything that was submitted. Waits for the device. */
  async parameters(): Promise<Float32Array> {
    return await this.#read(this.#owned[0]!);
  }

  /** All that the next step depends on, but for the learning rate. Waits for the device. */
  async state(): Promise<TrainingState> {
    return { theta: await this.parameters(), momentum: await this.#read(this.#update.inputs.buffer!) };
  }

  /** The loss of every step since the last time, or since the start, before each step. Waits for the device. */
  async losses(): Promise<Float32Array> {
    return await this.#losses.take();
  }

  /** Loss of the last batch of that size. Waits for the device. */
  async lastLoss(size: number): Promise<number> {
    return (await this.#planFor(size).read('loss'))[0]!;
  }

  release(): void {
    for (const plan of [...this.#gradients.values(), this.#update]) plan.release();
    for (const { buffer } of this.#owned) this.#device.releaseBuffer(buffer);
    this.#losses.release();
  }

  async #submitGradient({ rows, key }: Batch): Promise<void> {
    const plan = this.#planFor(rows.length);
    plan.write('batch', await stageRows(this.#data, rows));
    for (const [name, values] of Object.entries(this.#objective.draw(key, rows.length))) {
      plan.write(name, values);
    }
    plan.submit();
  }

  #planFor(size: number): Plan {
    const plan = this.#gradients.get(size);
    if (plan !== undefined) return plan;
    const known = [...this.#gradients.keys()].join(', ');
    throw new ShapeError(
      `${this.#objective.name}: no step was compiled for a batch of ${size}; batch sizes are ${known}.`,
    );
  }

  async #read({ buffer, offset, bytes }: BufferRange): Promise<Float32Array> {
    return new Float32Array(await this.#device.read(buffer, offset, bytes));
  }
}
