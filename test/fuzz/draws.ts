/** Random choices from the project's counter-based generator: an input is known by its reader, a seed and its number. */
import { words } from '../../src/kernels/philox.js';

const FIRST = 64;

export class Draws {
  readonly #purpose: string;
  readonly #seed: number;
  readonly #index: number;
  #words: Uint32Array;
  #next = 0;

  constructor(purpose: string, seed: number, index: number) {
    this.#purpose = purpose;
    this.#seed = seed;
    this.#index = index;
    this.#words = this.#draw(FIRST);
  }

  #draw(count: number): Uint32Array {
    return words({ seed: this.#seed, purpose: `fuzz.${this.#purpose}`, index: this.#index }, count);
  }

  /** 32 random bits. */
  word(): number {
    if (this.#next === this.#words.length) this.#words = this.#draw(2 * this.#words.length);
    return this.#words[this.#next++]!;
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound);
  }

  /** Whether something happens that does so `share` of all times. */
  happens(share: number): boolean {
    return this.word() < share * 2 ** 32;
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }

  /** A small number more often than a large one. */
  size(largest: number): number {
    return Math.floor((this.word() / 2 ** 32) ** 3 * (largest + 1));
  }

  bytes(length: number): Uint8Array {
    const result = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.word();
      for (let k = 0; k < 4 && at + k < length; k += 1) result[at + k] = word >>> (8 * k);
    }
    return result;
  }
}
