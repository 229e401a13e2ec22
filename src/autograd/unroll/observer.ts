/**
 * What can be seen of a reverse sweep while it runs: norms of the adjoint, and each step's own part of the gradients. It
 * only reads what the sweep leaves behind, with plans of its own, so that no bit of the result depends on it.
 */
import type { Device } from '../../gpu/device.js';
import { type BufferRange, BYTES, copyRange } from '../compile/bufferRange.js';
import { compile, type Plan } from '../compile/plan.js';
import { sizeOf } from '../tape.js';
import { releaseOnFailure } from './releaseOnFailure.js';
import type { SharedMemory } from './sharedMemory.js';
import { Slots } from './slots.js';
import { contributionTape, hyperparameterTypes, onTape, type StepDescription, squareTape } from './tapes.js';

/** What may be observed: `adjointNorms`, ‖λ_n‖ of every θ_n; `contributions`, each step's own part of every gradient. */
export type Observable = 'adjointNorms' | 'contributions';

/** What was seen of one hypergradient. Entries for steps that a truncated sweep did not reach are NaN, or zeros. */
export interface Observation {
  /** ‖λ_n‖, the norm of the outer loss's gradient by θ_n, for n from 0 to N [N + 1]. */
  readonly adjointNorms?: Float64Array;
  /** For each of `wrt`, step n's own part of its gradient, n from 0 to N − 1; their sum is the gradient. */
  readonly contributions?: Readonly<Record<string, readonly Float32Array[]>>;
}

export interface ObserverOptions {
  readonly device: Device;
  readonly description: StepDescription;
  readonly shared: SharedMemory;
  readonly steps: number;
  /** First step that the sweep reaches. */
  readonly firstStep: number;
  readonly observe: readonly Observable[];
}

/** Owns the plans and the memory of an observation. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #norms: Plan | null;
  readonly #normSlots: Slots;
  /** By table and batch size. */
  readonly #scatters: ReadonlyMap<string, Plan>;
  readonly #contributions: ReadonlyMap<string, Slots>;

  private constructor(
    options: ObserverOptions,
    norms: Plan | null,
    normSlots: Slots,
    scatters: ReadonlyMap<string, Plan>,
    contributions: ReadonlyMap<string, Slots>,
  ) {
    this.#options = options;
    this.#norms = norms;
    this.#normSlots = normSlots;
    this.#scatters = scatters;
    this.#contributions = contributions;
  }

  /** @throws DeviceError when what it needs does not fit the device; nothing stays allocated then. */
  static async create(options: ObserverOptions, batchSizes: Iterable<number>): Promise<Observer> {
    const { device, description, shared, steps, observe } = options;
    const { problem, wrt } = description;
    return await releaseOnFailure(async (own) => {
      const norms = observe.includes('adjointNorms')
        ? own(
            await compile(squareTape(problem.parameters), device, {
              label: 'adjointNorm',
              inputs: { vector: shared.onTape[onTape.adjoint('theta')]! },
            }),
          )
        : null;
      const normSlots = own(new Slots(device, norms === null ? 0 : steps + 1, BYTES, 'unroll.adjointNorms'));
      const scatters = new Map<string, Plan>();
      const contributions = new Map<string, Slots>();
      const types = { ...hyperparameterTypes(description), ...problem.tables };
      for (const name of observe.includes('contributions') ? wrt : []) {
        const bytes = sizeOf(types[name]!.shape) * BYTES;
        contributions.set(name, own(new Slots(device, steps, bytes, `unroll.contributions.${name}`)));
        for (const size of Object.hasOwn(problem.tables, name) ? batchSizes : []) {
          const plan = await compile(contributionTape(problem.tables[name]!, size), device, {
            label: `contribution.${name}${size}`,
            overwrite: ['zeros'],
          });
          scatters.set(`${name}/${size}`, own(plan));
        }
      }
      return new Observer(options, norms, normSlots, scatters, contributions);
    });
  }

  /** Bytes of device memory held. */
  get memory(): number {
    const plans = [...(this.#norms === null ? [] : [this.#norms]), ...this.#scatters.values()];
    const slots = [this.#normSlots, ...this.#contributions.values()];
    return [...plans, ...slots].reduce((total, { memory }) => total + memory, 0);
  }

  /** Appends the norm of the adjoint as it stands, that of θ_n. */
  encodeNorm(encoder: GPUCommandEncoder, n: number): void {
    if (this.#norms === null) return;
    this.#norms.encode(encoder);
    copyRange(encoder, this.#norms.outputs.square!, this.#normSlots.range(n));
  }

  /** Appends a step's own part of every gradient, from the outputs that its reverse plan has just left. */
  encodeContributions(encoder: GPUCommandEncoder, step: number, reverse: Plan): void {
    const { problem } = this.#options.description;
    const { batch } = reverse.inputs;
    for (const [name, slots] of this.#contributions) {
      const own = reverse.outputs[onTape.own(name)]!;
      const target = slots.range(step);
      if (!Object.hasOwn(problem.tables, name)) {
        copyRange(encoder, own, target);
        continue;
      }
      const scatter = this.#scatters.get(`${name}/${batch!.bytes / BYTES}`)!;
      const { zeros, rows, batch: numbers } = scatter.inputs;
      encoder.clearBuffer(zeros!.buffer, zeros!.offset, zeros!.bytes);
      copyRange(encoder, own, rows!);
      copyRange(encoder, batch!, numbers!);
      scatter.encode(encoder);
      copyRange(encoder, scatter.outputs.contribution!, target);
    }
  }

  /** Reads what was observed of the last hypergradient. Waits for the device. */
  async read(): Promise<Observation> {
    const { device, steps, firstStep, observe } = this.#options;
    const readRange = async ({ buffer, offset, bytes }: BufferRange): Promise<Float32Array> =>
      new Float32Array(await device.read(buffer, offset, bytes));
    const observation: { -readonly [Key in keyof Observation]: Observation[Key] } = {};
    if (observe.includes('adjointNorms')) {
      const norms = new Float64Array(steps + 1).fill(Number.NaN);
      for (let n = firstStep; n <= steps; n++) {
        norms[n] = Math.sqrt((await readRange(this.#normSlots.range(n)))[0]!);
      }
      observation.adjointNorms = norms;
    }
    if (observe.includes('contributions')) {
      const contributions: Record<string, Float32Array[]> = {};
      for (const [name, slots] of this.#contributions) {
        const values: Float32Array[] = [];
        for (let step = 0; step < steps; step++) {
          const range = slots.range(step);
          const isReached = step >= firstStep;
          values.push(isReached ? await readRange(range) : new Float32Array(range.bytes / BYTES));
        }
        contributions[name] = values;
      }
      observation.contributions = contributions;
    }
    return observation;
  }

  release(): void {
    this.#norms?.release();
    this.#normSlots.release();
    for (const plan of this.#scatters.values()) plan.release();
    for (const slots of this.#contributions.values()) slots.release();
  }
}

/**
 * Cosine of the gradient truncated to the last k steps to the exact one, for k from 1 to N, from each step's own part
 * (`Observation.contributions` of one table). 1 where both are zero; 0 where one is.
 */
export function truncationCosines(contributions: readonly ArrayLike<number>[]): Float64Array {
  const steps = contributions.length;
  const size = contributions[0]?.length ?? 0;
  const exact = new Float64Array(size);
  for (const part of contributions) for (let i = 0; i < size; i++) exact[i]! += part[i]!;
  const truncated = new Float64Array(size);
  const inner = (a: Float64Array, b: Float64Array): number =>
    a.reduce((total, value, i) => total + value * b[i]!, 0);
  const exactNorm = Math.sqrt(inner(exact, exact));
  return Float64Array.from({ length: steps }, (_, index) => {
    const part = contributions[steps - 1 - index]!;
    for (let i = 0; i < size; i++) truncated[i]! += part[i]!;
    const norm = Math.sqrt(inner(truncated, truncated));
    if (norm === 0 || exactNorm === 0) return norm === exactNorm ? 1 : 0;
    return inner(truncated, exact) / (norm * exactNorm);
  });
}
