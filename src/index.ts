/**
 * hypergrad, the engine: tapes, gradients of any order, plans on a WebGPU device, and gradient through training. Runs in
 * Node and in the browser; opening a device under Node is `hypergrad/node`.
 */
export type { BufferRange, Numbers } from './autograd/compile/bufferRange.js';
export { type CompileOptions, compile, type Plan } from './autograd/compile/plan.js';
export { type GradientOptions, gradient, gradientTape } from './autograd/gradient.js';
export { interpret } from './autograd/interpret.js';
export { augment } from './autograd/ops/augment.js';
export { avgPool2d, globalAveragePool } from './autograd/ops/avgPool2d.js';
export { barlowTwinsLoss } from './autograd/ops/barlowTwins.js';
export {
  type BatchNormOutput,
  batchNorm,
  batchNormWith,
  type ChannelStatistics,
  moveRunningStatistics,
} from './autograd/ops/batchNorm.js';
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from './autograd/ops/conv2d.js';
export {
  add,
  broadcastTo,
  div,
  exp,
  fill,
  isPositive,
  log,
  mul,
  neg,
  relu,
  scale,
  shift,
  sqrt,
  stopGradient,
  sub,
} from './autograd/ops/elementwise.js';
export { gather, scatterAdd } from './autograd/ops/gather.js';
export { instanceNorm, standardiseRows } from './autograd/ops/instanceNorm.js';
export { crossCorrelation, linear, type MatmulOptions, matmul } from './autograd/ops/matmul.js';
export { maxPool2d } from './autograd/ops/maxPool2d.js';
export { mse, squaredDistance } from './autograd/ops/mse.js';
export { oneHot } from './autograd/ops/oneHot.js';
export { pack, segment } from './autograd/ops/pack.js';
export type { Pair } from './autograd/ops/pair.js';
export type { Pool2dOptions } from './autograd/ops/pool2dExtents.js';
export { dot, maximum, mean, reshape, sum, sumAll } from './autograd/ops/reduce.js';
export {
  type DataType,
  f32,
  i32,
  printTape,
  type Shape,
  type Tape,
  type TensorType,
} from './autograd/tape.js';
export { type Tensor, trace } from './autograd/trace.js';
export { type Trajectory, Unroll, type UnrollOptions } from './autograd/unroll/recompute.js';
export type { InnerProblem } from './autograd/unroll/tapes.js';
export { ConfigError, DataError, DeviceError, HypergradError, ShapeError, StoreError } from './errors.js';
export { type AdapterDescription, Device } from './gpu/device.js';
export { normal, permutation, type StreamKey, uniform, uniformRange } from './kernels/philox.js';
export { type ConvNetOptions, convNet } from './nn/convNet.js';
export { barlowTwins, logSumExp, softmaxCrossEntropy, standardiseColumns } from './nn/losses.js';
export { initialParameters, type Model, type ModelOutput, type ModelWithBuffers } from './nn/model.js';
export { normaliseRows, ntXent } from './nn/ntXent.js';
export { type AdamSettings, adamStep } from './nn/optimisers/adam.js';
export { type SgdSettings, sgdStep } from './nn/optimisers/sgd.js';
export {
  joinParameters,
  type ParameterLayout,
  packParameters,
  splitParameters,
  unpack,
} from './nn/parameters.js';
export { fitProbe, type Probe, probeAccuracy, probeProbabilities } from './nn/probe.js';
export { type ResNet18Options, resNet18 } from './nn/resNet18.js';
