/** Adam for what the examples learn: few enough numbers that the host evaluates its step, in float64. */
import { adamStep, f32, interpret, trace } from 'hypergrad';

/** A vector that descends: `value` is where it stands, `step` moves it down a gradient of the same length. */
export function outerAdam(start: ArrayLike<number>, learningRate: number) {
  const vector = f32(start.length);
  const kept = { theta: vector, first: vector, second: vector, decay1: f32(), decay2: f32() };
  const tape = trace({ ...kept, gradient: vector, learningRate: f32() }, (values) => adamStep(values));
  const zeros = new Float64Array(start.length);
  let state: Record<string, Float64Array> = {
    theta: Float64Array.from(start),
    first: zeros,
    second: zeros,
    decay1: Float64Array.of(0.9),
    decay2: Float64Array.of(0.999),
  };
  return {
    get value(): Float32Array {
      return Float32Array.from(state.theta!);
    },
    step(gradient: ArrayLike<number>): void {
      state = interpret(tape, { ...state, gradient, learningRate: [learningRate] });
    },
  };
}
