/** Float64 tensors for the reference evaluation: numbers in memory, and where each index finds its own. */
import { rowMajorStrides, type Shape, sizeOf } from './tape.js';

/**
 * A tensor or a view of one. Element (i, j, …) is data[offset + i·stride₀ + j·stride₁ + …]. It makes no code at run time, so it
 * runs where a page forbids that.
 */
export class Strided {
  readonly data: Float64Array;
  readonly shape: Shape;
  readonly stride: readonly number[];
  readonly offset: number;
  /** Number of elements. */
  readonly size: number;

  constructor(
    data: Float64Array,
    shape: Shape,
    stride: readonly number[] = rowMajorStrides(shape),
    offset = 0,
  ) {
    this.data = data;
    this.shape = shape;
    this.stride = stride;
    this.offset = offset;
    this.size = sizeOf(shape);
  }

  /** Number of axes. */
  get dimension(): number {
    return this.shape.length;
  }

  /** The element of an index. */
  get(...index: readonly number[]): number {
    return this.data[this.#place(index, index.length)]!;
  }

  /** Changes an element: its index, then its value. */
  set(...indexAndValue: readonly number[]): void {
    const axes = indexAndValue.length - 1;
    this.data[this.#place(indexAndValue, axes)] = indexAndValue[axes]!;
  }

  /** The same numbers with other axes: axis k of the view is axis axes[k] of this. */
  transpose(...axes: readonly number[]): Strided {
    return new Strided(
      this.data,
      axes.map((axis) => this.shape[axis]!),
      axes.map((axis) => this.stride[axis]!),
      this.offset,
    );
  }

  /** The view of these extents whose element i is element starts + i·steps of this. */
  view(extents: Shape, starts: readonly number[], steps: readonly number[]): Strided {
    return new Strided(
      this.data,
      extents,
      this.stride.map((stride, axis) => stride * steps[axis]!),
      this.#place(starts, starts.length),
    );
  }

  #place(index: readonly number[], axes: number): number {
    let place = this.offset;
    for (let axis = 0; axis < axes; axis++) place += index[axis]! * this.stride[axis]!;
    return place;
  }
}
