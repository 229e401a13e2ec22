/** Starting values of parameters. */
import { sizeOf } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import { normal, type StreamKey, uniformRange } from '../kernels/philox.js';

function requireShape(key: StreamKey, shape: readonly number[]): void {
  const invalid = shape.find((length) => !Number.isInteger(length) || length < 1);
  if (invalid !== undefined) {
    throw new ShapeError(
      `The shape [${shape.join(', ')}] of '${key.purpose}' does not fit: ${invalid} must be a positive integer.`,
    );
  }
}

/**
 * Values for a parameter of `shape`, uniform between ±1/√fanIn: PyTorch's default for the weights and the
 * biases of convolutions and linear layers (Kaiming-uniform with a = √5). `fanIn` is the number of inputs
 * that one output sees, such as channels · kernel height · kernel width; a bias takes its weight's.
 *
 * @throws ShapeError when `fanIn` or a length of `shape` is not a positive integer.
 */
export function uniformFanIn(key: StreamKey, shape: readonly number[], fanIn: number): Float32Array {
  if (!Number.isInteger(fanIn) || fanIn < 1) {
    throw new ShapeError(
      `The fan-in ${fanIn} of '${key.purpose}' does not fit: give the number of inputs of one output.`,
    );
  }
  requireShape(key, shape);
  const bound = 1 / Math.sqrt(fanIn);
  return uniformRange(key, sizeOf(shape), -bound, bound);
}

/**
 * Values for a convolution's weight [O,C,K,L], normal with mean 0 and variance 2/fan-out, fan-out = O · K · L (He et al.
 * 2015, as torchvision starts its residual networks).
 *
 * @throws ShapeError when the shape has not four axes or a length is not a positive integer.
 */
export function heNormal(key: StreamKey, shape: readonly number[]): Float32Array {
  requireShape(key, shape);
  if (shape.length !== 4) {
    throw new ShapeError(
      `The shape [${shape.join(', ')}] of '${key.purpose}' does not fit: a convolution's weight has four axes.`,
    );
  }
  const [outputs, inputs, rows, columns] = shape as [number, number, number, number];
  const deviation = Math.sqrt(2 / (outputs * rows * columns));
  return normal(key, outputs * inputs * rows * columns).map((value) => deviation * value);
}
