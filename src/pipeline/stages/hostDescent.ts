/** Outer descent of small tensors on the host, where nothing else reads them on the device. */

/** SGD with momentum in float64 arithmetic on float32 values: v ← μv + g, x ← x − ηv. */
export class HostDescent {
  /** x; a copy of where it started. */
  readonly value: Float32Array;
  readonly #velocity: Float32Array;
  readonly #momentum: number;
  readonly #learningRate: number;

  constructor(start: Float32Array, momentum: number, learningRate: number) {
    this.value = start.slice();
    this.#velocity = new Float32Array(start.length);
    this.#momentum = momentum;
    this.#learningRate = learningRate;
  }

  /** The velocity v, to go on with later; what is read changes with the next step. */
  get velocity(): Float32Array {
    return this.#velocity;
  }

  /** Goes on from another descent's x and v. */
  restore(value: Float32Array, velocity: Float32Array): void {
    this.value.set(value);
    this.#velocity.set(velocity);
  }

  step(gradient: Float32Array): void {
    for (let i = 0; i < this.value.length; i++) {
      this.#velocity[i] = this.#momentum * this.#velocity[i]! + gradient[i]!;
      this.value[i]! -= this.#learningRate * this.#velocity[i]!;
    }
  }
}
