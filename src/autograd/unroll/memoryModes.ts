/** The compiled steps of an unroll, and which of them keep their intermediates: the memory modes. */
import { DeviceError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import type { BufferRange } from '../compile/bufferRange.js';
import type { KeptStorage } from './keptStorage.js';
import type { MemoryMode } from './options.js';
import { releaseOnFailure } from './releaseOnFailure.js';
import { Slots } from './slots.js';
import {
  compileKeeping,
  compileRecomputing,
  releaseStep,
  type StepCompiler,
  type StepPlans,
  stepMemory,
} from './stepPlans.js';

export interface StepsWanted {
  readonly batchSizes: readonly number[];
  readonly steps: number;
  /** The last so many steps are gone back through. */
  readonly truncate: number;
  readonly memory: MemoryMode;
  /** Bytes that the unroll holds already. */
  readonly held: number;
}

type PlansBySize = ReadonlyMap<number, StepPlans>;

/** Owns the plans of every batch size, and the slots of the steps that are kept. Made by `compileSteps`. */
export class CompiledSteps {
  readonly keptSteps: number;
  readonly #recomputing: PlansBySize;
  readonly #keeping: PlansBySize;
  readonly #slots: Slots;
  readonly #firstKept: number;

  constructor(
    device: Device,
    steps: number,
    keptSteps: number,
    recomputing: PlansBySize,
    keeping: PlansBySize,
  ) {
    this.#recomputing = recomputing;
    this.#keeping = keeping;
    this.keptSteps = keptSteps;
    this.#firstKept = steps - keptSteps;
    this.#slots = new Slots(device, keptSteps, slotBytes(keeping), 'unroll.kept');
  }

  /** The plans for a step with a batch of that size, if one was compiled; `kept` is null where the step keeps nothing. */
  plansFor(step: number, batchSize: number): StepPlans | undefined {
    const isKept = step >= this.#firstKept;
    const plans = (isKept || this.#recomputing.size === 0 ? this.#keeping : this.#recomputing).get(batchSize);
    return plans === undefined || isKept ? plans : { ...plans, kept: null };
  }

  /** Where a kept step's intermediates lie between the ways. */
  keptSlot(step: number, { slotBytes }: KeptStorage): BufferRange {
    return this.#slots.range(step - this.#firstKept, 0, slotBytes);
  }

  /** Whether the inner loss draws random numbers. */
  get readsStream(): boolean {
    return this.#plans.some(
      ({ forward, reverse }) => 'stream' in forward.inputs || 'stream' in reverse.inputs,
    );
  }

  /** Bytes of device memory held. */
  get memory(): number {
    return this.#plans.reduce((total, plans) => total + stepMemory(plans), this.#slots.memory);
  }

  release(): void {
    for (const plans of this.#plans) releaseStep(plans);
    this.#slots.release();
  }

  get #plans(): StepPlans[] {
    return [...this.#recomputing.values(), ...this.#keeping.values()];
  }
}

/**
 * Compiles the steps for a memory mode.
 *
 * @throws DeviceError when a `mixed` budget is less than recomputing every step needs, or the device cannot hold the
 *   steps; nothing stays allocated then.
 */
export async function compileSteps(compiler: StepCompiler, wanted: StepsWanted): Promise<CompiledSteps> {
  const { batchSizes, steps, truncate, memory, held } = wanted;
  const { device } = compiler;
  return await releaseOnFailure(async (own) => {
    const compileAll = async (compileOne: typeof compileKeeping): Promise<PlansBySize> => {
      const all = new Map<number, StepPlans>();
      for (const size of batchSizes) {
        const plans = await compileOne(compiler, size);
        own({ release: () => releaseStep(plans) });
        all.set(size, plans);
      }
      return all;
    };
    const none: PlansBySize = new Map();
    if (memory === 'recompute') {
      return new CompiledSteps(device, steps, 0, await compileAll(compileRecomputing), none);
    }
    const keeping = await compileAll(compileKeeping);
    if (memory === 'full') return new CompiledSteps(device, steps, truncate, none, keeping);

    const perStep = slotBytes(keeping);
    const left = memory.mixed - held;
    if (memoryOf(keeping) + truncate * perStep <= left) {
      return new CompiledSteps(device, steps, truncate, none, keeping);
    }
    const recomputing = await compileAll(compileRecomputing);
    const keptSteps = Math.floor((left - memoryOf(keeping) - memoryOf(recomputing)) / perStep);
    if (keptSteps >= 1) {
      return new CompiledSteps(device, steps, Math.min(keptSteps, truncate), recomputing, keeping);
    }
    const least = held + memoryOf(recomputing);
    if (least > memory.mixed) {
      throw new DeviceError(
        `unroll: a budget of ${formatBytes(memory.mixed)} is too small: recomputing every step, the least there is, ` +
          `needs ${formatBytes(least)}. Raise memory.mixed, or use fewer steps or smaller batches.`,
      );
    }
    const compiled = new CompiledSteps(device, steps, 0, recomputing, none);
    for (const plans of keeping.values()) releaseStep(plans);
    return compiled;
  });
}

const memoryOf = (plans: PlansBySize): number =>
  [...plans.values()].reduce((total, each) => total + stepMemory(each), 0);

const slotBytes = (keeping: PlansBySize): number =>
  Math.max(0, ...[...keeping.values()].map(({ kept }) => kept?.slotBytes ?? 0));
