/** Where the values of a tape lie while it is lowered: their ranges, and the stays of tensors in the arena. */
import { wholeMultiple } from '../../kernels/catalogue.js';
import type { Storage } from '../operation.js';
import { BYTES } from './bufferRange.js';
import type { JointTensors } from './lowerRowProgram.js';
import type { Stay } from './place.js';
import { type Range, sameRoot } from './range.js';

/** A tensor of the arena: the tape line whose value or scratch space it is. */
export interface TensorStay extends Stay {
  readonly line: number;
  readonly use: 'value' | 'scratch';
}

export class Memory {
  /** The range of each line that has one. */
  readonly values = new Map<number, Range>();
  readonly #stays: (TensorStay & { last: number })[] = [];
  readonly #named: Range[] = [];

  get stays(): readonly TensorStay[] {
    return this.#stays;
  }

  /** Memory for a tensor from its first step on. */
  begin(stay: Omit<TensorStay, 'last'>): Range {
    const { bytes, first } = stay;
    this.#stays.push({ ...stay, last: first });
    return { stay: this.#stays.length - 1, offset: 0, bytes };
  }

  /** Holds that a range is needed at a step. */
  touch(range: Range, step: number): void {
    if (!('stay' in range)) return;
    const stay = this.#stays[range.stay]!;
    stay.last = Math.max(stay.last, step);
  }

  /** A name for a range of memory. */
  name(range: Range): Storage {
    return { scratch: this.#named.push(range) - 1 };
  }

  rangeOf(storage: Storage): Range {
    return 'value' in storage ? this.values.get(storage.value)! : this.#named[storage.scratch]!;
  }

  /** One binding for all tensors that lie in one piece of memory, such as a layer's parameters. */
  jointly(lines: readonly number[]): JointTensors[] {
    const pieces: { range: Range; lines: number[] }[] = [];
    for (const line of lines) {
      const range = this.values.get(line)!;
      const piece = pieces.find((other) => sameRoot(other.range, range));
      if (piece === undefined) {
        pieces.push({ range, lines: [line] });
        continue;
      }
      const { offset, bytes, used = bytes } = piece.range;
      const first = Math.min(offset, range.offset);
      const end = Math.max(offset + bytes, range.offset + range.bytes);
      piece.range = {
        ...range,
        offset: first,
        bytes: end - first,
        used: Math.min(used + range.bytes, end - first),
      };
      piece.lines.push(line);
    }
    return pieces.map(({ range, lines }) => {
      const starts = lines.map((line) => (this.values.get(line)!.offset - range.offset) / BYTES);
      return {
        storage: this.name(range),
        starts: new Map(lines.map((line, k) => [line, starts[k]!])),
      };
    });
  }

  /**
   * Divides a stay of `rowsBytes` among what a group leaves of each plane: values that others read, then shares of sums
   * over the images, side by side.
   */
  layRows(
    stay: Range,
    results: readonly number[],
    summed: readonly number[],
    perLine: number,
    alignment: number,
  ): JointTensors {
    const apart = wholeMultiple(perLine, alignment);
    const starts = new Map<number, number>();
    results.forEach((line, k) => {
      this.values.set(line, { ...stay, offset: k * apart, bytes: perLine });
      starts.set(line, (k * apart) / BYTES);
    });
    summed.forEach((line, k) => {
      starts.set(line, (results.length * apart + k * perLine) / BYTES);
    });
    return { storage: this.name(stay), starts };
  }
}

/** Bytes of so many values of planes, each bound on its own, and shares of sums. */
export const rowsBytes = (results: number, summed: number, perLine: number, alignment: number): number =>
  results * wholeMultiple(perLine, alignment) + summed * perLine;
