/** The two losses that are compared, on one student and one set of images: self-supervised, and distillation (MKDT eq. 5). */
import { allocateRange, type BufferRange, type Numbers } from '../../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { augment } from '../../autograd/ops/augment.js';
import { gather } from '../../autograd/ops/gather.js';
import { VIEW_NUMBERS } from '../../autograd/ops/warp.js';
import { f32, i32, type Tape } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import type { Device } from '../../gpu/device.js';
import { type StreamKey, streamWords } from '../../kernels/philox.js';
import { drawViews } from '../../nn/augmentation.js';
import { mse } from '../../nn/losses.js';
import type { Model } from '../../nn/model.js';
import { type SgdSettings, sgdStep } from '../../nn/optimisers/sgd.js';
import type { ParameterLayout } from '../../nn/parameters.js';
import { lossOfViews, withProjector } from '../../nn/selfSupervised.js';
import type { ResidentData } from '../../nn/training.js';
import type { Config } from '../config/schema.js';

export const objectiveNames = ['selfSupervised', 'distillation'] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

/** A loss of θ and a random batch, and how a student descends it. */
export interface Objective {
  readonly name: ObjectiveName;
  /** θ: the student's tensors first, so that both losses have them at the same places; then a projector. */
  readonly layout: ParameterLayout;
  readonly optimiser: SgdSettings & { readonly learningRate: number };
  /** Inputs `theta`, `images`, `batch` and more; outputs `loss` and its `gradient` by θ. */
  tape(data: Pick<ResidentData, 'imageShape' | 'targetType'>, size: number): Tape;
  /** What a batch draws beside its rows, by the tape's inputs. */
  draw(key: StreamKey, size: number): Readonly<Record<string, Numbers>>;
}

/** Regression of the teacher's representations, as the experts of MKDT learn. */
export function distillation(config: Config, model: Model): Objective {
  return {
    name: 'distillation',
    layout: model.parameters,
    optimiser: config.experts,
    tape: ({ imageShape, targetType }, size) =>
      trace(
        {
          theta: f32(model.parameters.total),
          images: f32(...imageShape),
          targets: targetType,
          batch: i32(size),
        },
        ({ theta, images, targets, batch }) => {
          const loss = mse(model.forward(theta, gather(images, batch)).output, gather(targets, batch));
          const [g] = gradient(loss, [theta]) as [Tensor];
          return { loss, gradient: g };
        },
      ),
    draw: () => ({}),
  };
}

/** The teacher's own loss on two random views, on the student with the teacher's projector. */
export function selfSupervision(config: Config, model: Model): Objective {
  const settings = config.teacher;
  const layout = withProjector(model, settings);
  const [, height, width] = model.image;
  return {
    name: 'selfSupervised',
    layout,
    optimiser: config.selfSupervised.experts,
    tape: ({ imageShape }, size) =>
      trace(
        {
          theta: f32(layout.total),
          images: f32(...imageShape),
          batch: i32(size),
          viewA: f32(size, VIEW_NUMBERS),
          viewB: f32(size, VIEW_NUMBERS),
          noiseA: i32(4),
          noiseB: i32(4),
        },
        ({ theta, images, batch, viewA, viewB, noiseA, noiseB }) => {
          const rows = gather(images, batch);
          const views = [augment(rows, viewA, noiseA), augment(rows, viewB, noiseB)] as const;
          const loss = lossOfViews(model, settings, theta, views);
          const [g] = gradient(loss, [theta]) as [Tensor];
          return { loss, gradient: g };
        },
      ),
    draw(key, size) {
      const views = (side: string): Float32Array =>
        drawViews(
          { ...key, purpose: `${key.purpose}/view${side}` },
          size,
          { height, width },
          settings.augmentation,
        );
      const noise = (side: string): Int32Array =>
        streamWords({ ...key, purpose: `${key.purpose}/noise${side}` });
      return { viewA: views('A'), viewB: views('B'), noiseA: noise('A'), noiseB: noise('B') };
    },
  };
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
  readonly #gradients: ReadonlyMap<number, Plan>;
  readonly #update: Plan;
  readonly #owned: readonly BufferRange[];

  private constructor(
    device: Device,
    objective: Objective,
    gradients: ReadonlyMap<number, Plan>,
    update: Plan,
    owned: readonly BufferRange[],
  ) {
    this.#device = device;
    this.#objective = objective;
    this.#gradients = gradients;
    this.#update = update;
    this.#owned = owned;
  }

  static async create(
    device: Device,
    objective: Objective,
    data: ResidentData,
    sizes: readonly number[],
  ): Promise<ObjectiveSteps> {
    const { name, layout, optimiser } = objective;
    const theta = allocateRange(device, layout.total, `${name}.theta`);
    const g = allocateRange(device, layout.total, `${name}.gradient`);
    const gradients = new Map<number, Plan>();
    for (const size of new Set(sizes)) {
      const tape = objective.tape(data, size);
      const shared = { theta, images: data.images, targets: data.targets };
      const inputs = Object.fromEntries(
        Object.entries(shared).filter(([input]) => Object.hasOwn(tape.inputs, input)),
      );
      const label = `${name}${size}`;
      gradients.set(size, await compile(tape, device, { label, inputs, outputs: { gradient: g } }));
    }
    const types = {
      theta: f32(layout.total),
      gradient: f32(layout.total),
      buffer: f32(layout.total),
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
    update.write('learningRate', Float32Array.of(optimiser.learningRate));
    return new ObjectiveSteps(device, objective, gradients, update, [theta, g]);
  }

  /** Goes to θ [layout.total], with an empty momentum buffer. */
  start(theta: Float32Array): void {
    this.#device.write(this.#owned[0]!.buffer, theta);
    this.#update.write('buffer', new Float32Array(theta.length));
  }

  /** The gradient of one batch at the present θ. Waits for the device. */
  async gradient(batch: Batch): Promise<Float32Array> {
    this.#submitGradient(batch);
    return await this.#read(this.#owned[1]!);
  }

  /** Submits one step of SGD. */
  step(batch: Batch): void {
    this.#submitGradient(batch);
    this.#update.submit();
  }

  /** θ after everything that was submitted. Waits for the device. */
  async parameters(): Promise<Float32Array> {
    return await this.#read(this.#owned[0]!);
  }

  /** Loss of the last batch of that size. Waits for the device. */
  async loss(size: number): Promise<number> {
    return (await this.#gradients.get(size)!.read('loss'))[0]!;
  }

  release(): void {
    for (const plan of [...this.#gradients.values(), this.#update]) plan.release();
    for (const { buffer } of this.#owned) this.#device.releaseBuffer(buffer);
  }

  #submitGradient({ rows, key }: Batch): void {
    const plan = this.#gradients.get(rows.length)!;
    plan.write('batch', rows);
    for (const [name, values] of Object.entries(this.#objective.draw(key, rows.length))) {
      plan.write(name, values);
    }
    plan.submit();
  }

  async #read({ buffer, offset, bytes }: BufferRange): Promise<Float32Array> {
    return new Float32Array(await this.#device.read(buffer, offset, bytes));
  }
}
