/**
 * The synthetic set at the minimum of the smoothed trajectory loss. The loss of an iteration is measured before its update
 * and belongs to the set as it is then; the smoothed loss of iteration i is the mean of those of iterations i − W + 1 … i,
 * and there is none before W − 1. A set that was updated after the last loss has none, and is never the best.
 */
import { mean } from 'simple-statistics';
import { z } from 'zod';
import { allocateRange, type BufferRange, BYTES, copyRange } from '../../autograd/compile/bufferRange.js';
import type { Device } from '../../gpu/device.js';
import { Held } from './held.js';

/**
 * W for a distillation of so many iterations: 20, or half of a shorter one. Also how many iterations the first and the last
 * trajectory loss of a report are means of.
 */
export function averagingWindow(iterations: number): number {
  return Math.min(20, Math.ceil(iterations / 2));
}

/** What is known of the best set so far. */
export interface Best {
  /** The iteration whose loss is its own. */
  readonly iteration: number;
  readonly smoothedLoss: number;
  readonly innerStep: number;
}

/** What a smoothed loss goes on from. */
export interface SmoothedLossState {
  readonly losses: readonly number[];
  readonly best: Best | null;
}

/** The same as a checkpoint has it. */
export const smoothedLossSchema = z.object({
  losses: z.array(z.number()),
  best: z
    .object({ iteration: z.number().int().min(0), smoothedLoss: z.number(), innerStep: z.number() })
    .nullable(),
}) satisfies z.ZodType<SmoothedLossState>;

/** Follows the smoothed loss. */
export class SmoothedLoss {
  readonly #window: number;
  readonly #losses: number[] = [];
  #best: Best | null = null;

  /** @param window W, the iterations that a smoothed loss is the mean of */
  constructor(window: number) {
    this.#window = window;
  }

  /** The losses in the window, and the best so far: all that it goes on from. */
  get state(): SmoothedLossState {
    return { losses: [...this.#losses], best: this.#best };
  }

  /** Goes on from where another one was. */
  restore({ losses, best }: SmoothedLossState): void {
    this.#losses.splice(0, this.#losses.length, ...losses);
    this.#best = best;
  }

  /** Null before the first smoothed loss. Of equal ones the earlier is the best. */
  get best(): Best | null {
    return this.#best;
  }

  /** Takes the next iteration's loss. Returns its smoothed loss, null while there is none, and whether it is the best. */
  add(
    iteration: number,
    loss: number,
    innerStep: number,
  ): { readonly smoothedLoss: number | null; readonly isBest: boolean } {
    this.#losses.push(loss);
    if (this.#losses.length > this.#window) this.#losses.shift();
    if (this.#losses.length < this.#window) return { smoothedLoss: null, isBest: false };
    const smoothedLoss = mean(this.#losses);
    const isBest = this.#best === null || smoothedLoss < this.#best.smoothedLoss;
    if (isBest) this.#best = { iteration, smoothedLoss, innerStep };
    return { smoothedLoss, isBest };
  }
}

/**
 * Copies of tensors that live on the device: as they were before the last two updates, and, where that is wanted, the best
 * ones. Of the two before, one is known to be good while the other is being judged.
 */
export class KeptSet {
  readonly #device: Device;
  readonly #live: readonly BufferRange[];
  readonly #held: Held;
  /** The one that was set aside last comes first. */
  #before: readonly [last: readonly BufferRange[], other: readonly BufferRange[]];
  readonly #best: readonly BufferRange[] | null;

  constructor(device: Device, live: readonly BufferRange[], keepsBest: boolean) {
    const held = new Held();
    const copy = (label: string): BufferRange[] =>
      live.map(({ bytes }) =>
        held.takeWith(allocateRange(device, bytes / BYTES, label), ({ buffer }) =>
          device.releaseBuffer(buffer),
        ),
      );
    this.#device = device;
    this.#live = live;
    this.#held = held;
    try {
      this.#before = [copy('distil.before'), copy('distil.beforeThat')];
      this.#best = keepsBest ? copy('distil.best') : null;
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** Copies the live tensors aside; submitted before their update. */
  setAside(): void {
    const [last, other] = this.#before;
    this.#before = [other, last];
    this.#copy(this.#live, other);
  }

  /** What was set aside last is the best. */
  keep(): void {
    if (this.#best !== null) this.#copy(this.#before[0], this.#best);
  }

  /** Where the best tensors lie, in the order in which the live ones were given; none where they are not kept. */
  get ranges(): readonly BufferRange[] {
    return this.#best ?? [];
  }

  /** Where the live tensors lie as they were before the last update, or before the one before that. */
  before(updates: 1 | 2): readonly BufferRange[] {
    return this.#before[updates - 1]!;
  }

  /** Puts the best tensors there, in the order of the live ones. */
  restore(tensors: readonly Float32Array[]): void {
    tensors.forEach((data, k) => {
      const { buffer, offset } = this.ranges[k]!;
      this.#device.write(buffer, data, offset);
    });
  }

  release(): void {
    this.#held.release();
  }

  #copy(from: readonly BufferRange[], to: readonly BufferRange[]): void {
    this.#device.submit((encoder) => {
      from.forEach((range, k) => {
        copyRange(encoder, range, to[k]!);
      });
    });
  }
}
