/**
 * The outer loop's work on a device: the unrolled training, the descents of pixels, targets and α, and the set that is kept.
 * One `step` is one iteration; the set itself never leaves the device between them.
 */
import { z } from 'zod';
import { type BufferRange, BYTES } from '../../autograd/compile/bufferRange.js';
import type { Plan } from '../../autograd/compile/plan.js';
import type { MemoryMode } from '../../autograd/unroll/options.js';
import type { InnerProblem } from '../../autograd/unroll/problem.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import { DeviceError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { batchSizesOf } from '../../nn/training.js';
import { type Captured, type Checkpoint, stateOf, tensorOf } from '../checkpoints.js';
import type { Config } from '../config/schema.js';
import { MEBIBYTE } from '../store/bytes.js';
import type { NamedTensor } from '../store/safetensors.js';
import {
  averagingWindow,
  type Best,
  KeptSet,
  SmoothedLoss,
  type SmoothedLossState,
  smoothedLossSchema,
} from './bestSet.js';
import { floatTensor } from './context.js';
import { Held } from './held.js';
import { compileOuterStep, keepPositive, ScalarDescent, stateNames } from './outerOptimiser.js';
import { type NormName, requireFiniteLoss, requireFiniteUpdate } from './setWatch.js';
import { SquareSums } from './squareSums.js';
import type { StartingSet } from './starts.js';
import type { SyntheticSet } from './syntheticTensors.js';

type Settings = Config['distil'];

/** What the gradient is taken by, in the unroll's names: a learning rate of 0 keeps a thing as it starts. */
export function learntNames({ pixels, targets, innerStep }: Settings): string[] {
  const all = { images: pixels, targets, learningRate: innerStep };
  return Object.entries(all).flatMap(([name, { learningRate }]) => (learningRate > 0 ? [name] : []));
}

/** How the unroll is to come by its intermediates. */
export function memoryMode({ memory, memoryBudget }: Settings): MemoryMode {
  return memory === 'mixed' ? { mixed: memoryBudget * MEBIBYTE } : memory;
}

/** What lies on the device and is learnt, the settings that it descends by, and what its gradient's norm is called. */
const tables = [
  { table: 'images', setting: 'pixels', norm: 'pixelNorm' },
  { table: 'targets', setting: 'targets', norm: 'targetNorm' },
] as const;

export interface OuterLoopOptions {
  readonly device: Device;
  /** The inner training: tables `images` and `targets`, hyperparameter `learningRate`. */
  readonly problem: InnerProblem;
  readonly settings: Settings;
  readonly start: StartingSet;
}

/** What one iteration starts from. */
export interface OuterStep {
  /** θ*_t [parameters]. */
  readonly from: Float32Array;
  /** θ*_{t+M} [parameters]. */
  readonly to: Float32Array;
  readonly batches: readonly Int32Array[];
}

/** What is seen of an iteration: the loss and the inner step before its update, and the gradient by what is learnt. */
export interface OuterStepRecord {
  readonly loss: number;
  readonly innerStep: number;
  /** Norms of the gradients by the pixels and by the targets, before clipping. */
  readonly pixelNorm?: number;
  readonly targetNorm?: number;
  /** The gradient by α. */
  readonly innerStepSlope?: number;
  /** Of `keep: best`: the smoothed loss, once there is one, and whether it is the smallest so far. */
  readonly smoothedLoss?: number;
  readonly isBest?: boolean;
}

/** What the loop goes on from beside its tensors. */
interface LoopState {
  readonly innerStep: number;
  readonly descent: Readonly<Record<string, readonly number[]>> | null;
  readonly smoothed: SmoothedLossState;
}

const loopStateSchema = z.object({
  innerStep: z.number().positive(),
  descent: z.record(z.string(), z.array(z.number())).nullable(),
  smoothed: smoothedLossSchema,
}) satisfies z.ZodType<LoopState>;

/** Owns the device memory of a distillation. Make it with `OuterLoop.create`; give it back with `release`. */
export class OuterLoop {
  readonly #settings: Settings;
  readonly #unrolled: Unroll;
  readonly #descents: ReadonlyMap<NormName, Plan>;
  readonly #descentOfInnerStep: ScalarDescent | null;
  readonly #smoothed: SmoothedLoss;
  readonly #kept: KeptSet;
  readonly #watch: SquareSums;
  readonly #held: Held;
  /** The last iteration whose loss and gradients were numbers, and its α. */
  #good: { readonly iteration: number; readonly innerStep: number } | null = null;
  #innerStep: number;
  #iteration = 0;

  private constructor(
    { device, settings }: OuterLoopOptions,
    unrolled: Unroll,
    descents: ReadonlyMap<NormName, Plan>,
    watch: SquareSums,
    held: Held,
  ) {
    const { innerStep, momentum, iterations, keep } = settings;
    this.#settings = settings;
    this.#unrolled = unrolled;
    this.#descents = descents;
    this.#descentOfInnerStep =
      innerStep.learningRate > 0 ? new ScalarDescent({ ...innerStep, momentum, gradientClip: null }) : null;
    this.#smoothed = new SmoothedLoss(averagingWindow(iterations));
    this.#kept = held.take(new KeptSet(device, this.#live, keep === 'best'));
    this.#watch = watch;
    this.#held = held;
    this.#innerStep = Math.fround(innerStep.initial);
  }

  /** @throws DeviceError when the memory does not fit the device, or `memoryBudget`. */
  static async create(options: OuterLoopOptions): Promise<OuterLoop> {
    const { device, problem, settings, start } = options;
    const { momentum, gradientClip } = settings;
    const unrolled = await Unroll.create({
      device,
      problem,
      optimiser: sgd(),
      steps: settings.steps,
      batchSizes: batchSizesOf(start.count, settings.batch),
      wrt: learntNames(settings),
      memory: memoryMode(settings),
      storage: settings.storage,
      ...(settings.truncate === null ? {} : { truncate: settings.truncate }),
    }).catch((cause: unknown) => {
      if (settings.memory !== 'mixed' || !(cause instanceof DeviceError)) throw cause;
      // The unroll does not know what its budget is called here.
      const budget = `distil.memoryBudget = ${settings.memoryBudget} MiB does not do`;
      throw new DeviceError(`${budget}: ${cause.message}`, { cause });
    });
    const held = new Held();
    held.take(unrolled);
    try {
      const descents = new Map<NormName, Plan>();
      for (const { table, setting, norm } of tables) {
        const gradient: BufferRange | undefined = unrolled.gradients[table];
        if (gradient === undefined) continue;
        const ranges = { theta: unrolled.inputs[table]!, gradient };
        const optimiser = { ...settings[setting], momentum, gradientClip };
        descents.set(norm, held.take(await compileOuterStep(device, setting, ranges, optimiser)));
      }
      unrolled.write('images', start.images);
      unrolled.write('targets', start.targets);
      const learnt = tables.filter(({ norm }) => descents.has(norm));
      const ranges = learnt.map(({ table, setting }) => [setting, unrolled.inputs[table]!] as const);
      const watch = held.take(await SquareSums.create(device, Object.fromEntries(ranges)));
      return new OuterLoop(options, unrolled, descents, watch, held);
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /**
   * One hypergradient, and one step of everything that is learnt down it. Waits for the device.
   *
   * @throws NumericsError when the loss, a gradient, α or an element of what is learnt is no number any more.
   */
  async step({ from, to, batches }: OuterStep): Promise<OuterStepRecord> {
    const unrolled = this.#unrolled;
    const innerStep = this.#innerStep;
    unrolled.write('learningRate', Float32Array.of(innerStep));
    unrolled.submit({ start: from, outer: { start: from, target: to }, batches });
    this.#kept.setAside();
    for (const descent of this.#descents.values()) descent.submit();
    this.#watch.submit();

    const [loss, squares, slope, ...norms] = await Promise.all([
      unrolled.loss(),
      this.#watch.read(),
      this.#descentOfInnerStep === null ? null : unrolled.gradient('learningRate').then(([value]) => value!),
      ...[...this.#descents].map(async ([name, plan]) => [name, (await plan.read('norm'))[0]!] as const),
    ]);
    requireFiniteLoss({ loss, slope, norms }, this.#iteration, this.#settings);
    this.#good = { iteration: this.#iteration, innerStep };
    const { smoothedLoss, isBest } = this.#smoothed.add(this.#iteration, loss, innerStep);
    if (isBest) this.#kept.keep();
    if (this.#descentOfInnerStep !== null && slope !== null) {
      const proposed = this.#descentOfInnerStep.next(innerStep, slope);
      this.#innerStep = Math.fround(keepPositive(innerStep, proposed));
    }
    requireFiniteUpdate(this.#innerStep, squares, this.#iteration, this.#settings);
    this.#iteration++;
    return {
      loss,
      innerStep,
      ...Object.fromEntries(norms),
      ...(slope === null ? {} : { innerStepSlope: slope }),
      ...(!this.#keepsBest || smoothedLoss === null ? {} : { smoothedLoss, isBest }),
    };
  }

  /** The set after all steps so far. */
  async read(): Promise<SyntheticSet> {
    return await this.#readFrom(this.#live, this.#innerStep);
  }

  /** The set that was the best so far; null where none is kept. */
  async readBest(): Promise<(SyntheticSet & { readonly best: Best }) | null> {
    const { best } = this.#smoothed;
    if (!this.#keepsBest || best === null) return null;
    return { ...(await this.#readFrom(this.#kept.ranges, best.innerStep)), best };
  }

  /**
   * After a `step` that failed for a number: the set as it was when its loss and gradients were numbers for the last time.
   * Null where they never were since the loop was made.
   */
  async readLastGood(): Promise<(SyntheticSet & { readonly iteration: number }) | null> {
    if (this.#good === null) return null;
    const { iteration, innerStep } = this.#good;
    const ranges = this.#kept.before(iteration === this.#iteration ? 1 : 2);
    return { ...(await this.#readFrom(ranges, innerStep)), iteration };
  }

  /** All that the next step depends on, and the best set where one is kept; after one step or more. */
  async capture(): Promise<Captured> {
    const tensors = new Map<string, NamedTensor>();
    const keep = (name: string, data: Float32Array): void => {
      tensors.set(name, floatTensor(data, data.length));
    };
    const live = await this.read();
    for (const { table } of tables) keep(table, live[table]);
    for (const { norm, setting } of tables) {
      const plan = this.#descents.get(norm);
      for (const name of plan === undefined ? [] : stateNames(this.#settings[setting].optimiser)) {
        keep(`${norm}.${name}`, await plan!.read(name));
      }
    }
    for (const [k, range] of this.#kept.ranges.entries()) {
      keep(`best.${tables[k]!.table}`, await this.#unrolled.read(range));
    }
    const state: LoopState = {
      innerStep: this.#innerStep,
      descent: this.#descentOfInnerStep?.state ?? null,
      smoothed: this.#smoothed.state,
    };
    return { tensors, state };
  }

  /** Goes on from where another loop of the same settings was captured. Throws `StoreError` where the checkpoint is of none such. */
  restore(checkpoint: Checkpoint): void {
    const tensor = (name: string, { bytes }: BufferRange): Float32Array =>
      tensorOf(checkpoint, name, bytes / BYTES);
    const { innerStep, descent, smoothed } = stateOf(checkpoint, loopStateSchema);
    for (const { table, norm, setting } of tables) {
      this.#unrolled.write(table, tensor(table, this.#unrolled.inputs[table]!));
      const plan = this.#descents.get(norm);
      for (const name of plan === undefined ? [] : stateNames(this.#settings[setting].optimiser)) {
        plan!.write(name, tensor(`${norm}.${name}`, plan!.inputs[name]!));
      }
    }
    if (this.#keepsBest) {
      const ranges = this.#kept.ranges;
      this.#kept.restore(tables.map(({ table }, k) => tensor(`best.${table}`, ranges[k]!)));
    }
    this.#iteration = checkpoint.done;
    this.#innerStep = innerStep;
    if (descent !== null) this.#descentOfInnerStep?.restore(descent);
    this.#smoothed.restore(smoothed);
  }

  /** Gives all memory back. */
  release(): void {
    this.#held.release();
  }

  get #keepsBest(): boolean {
    return this.#settings.keep === 'best';
  }

  get #live(): readonly BufferRange[] {
    return tables.map(({ table }) => this.#unrolled.inputs[table]!);
  }

  async #readFrom(ranges: readonly BufferRange[], innerStep: number): Promise<SyntheticSet> {
    const [images, targets] = await Promise.all(ranges.map((range) => this.#unrolled.read(range)));
    return { images: images!, targets: targets!, innerStep };
  }
}
