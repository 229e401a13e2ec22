/// <reference types="@webgpu/types" preserve="true" />
/**
 * hypergrad, the engine: tapes, gradients of any order, plans on a WebGPU device, and gradient through training. Runs in
 * Node and in the browser; a device is opened by `openBrowserDevice` there, and by `openDevice` of `hypergrad/node` under
 * Node.
 *
 * @module hypergrad
 */
export type { BufferRange, Numbers } from './autograd/compile/bufferRange.js';
export type {
  ArenaTensor,
  PlanDescription,
  PlannedOperation,
  PlanPort,
  PlanStep,
  PlanTotals,
} from './autograd/compile/describe.js';
export { type CompileOptions, compile, type Plan } from './autograd/compile/plan.js';
export {
  type DerivativeOptions,
  type GradientOptions,
  gradient,
  hvp,
  jvp,
  valueAndGradient,
  vjp,
} from './autograd/gradient.js';
export { toGraphviz } from './autograd/graphviz.js';
export { interpret } from './autograd/interpret.js';
export { type GeluOptions, gelu, leakyRelu, silu } from './autograd/ops/activations.js';
export { scatterAddAlongAxis, takeAlongAxis } from './autograd/ops/alongAxis.js';
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
export { blur } from './autograd/ops/blur.js';
export {
  clamp,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  maximum,
  minimum,
  notEqual,
  where,
} from './autograd/ops/comparisons.js';
export { concat, stack } from './autograd/ops/concat.js';
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from './autograd/ops/conv2d.js';
export {
  abs,
  add,
  broadcastTo,
  div,
  exp,
  fill,
  isPositive,
  log,
  mul,
  neg,
  type Operand,
  relu,
  rsqrt,
  scale,
  shift,
  sign,
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
export { pow, powNumber } from './autograd/ops/pow.js';
export { dropout, dropoutMask, randomNormal, randomUniform } from './autograd/ops/random.js';
export {
  type Axes,
  dot,
  max,
  mean,
  min,
  type ReductionOptions,
  reshape,
  sum,
  sumAll,
} from './autograd/ops/reduce.js';
export { expandDims, repeat, squeeze, tile } from './autograd/ops/shape.js';
export {
  flip,
  type PlaceOptions,
  pad,
  place,
  type SliceOptions,
  slice,
  split,
} from './autograd/ops/slice.js';
export { cos, erf, expm1, log1p, sigmoid, sin, softplus, tanh } from './autograd/ops/smooth.js';
export { logSoftmax, logSumExp, softmax } from './autograd/ops/softmax.js';
export {
  l2Normalise,
  type NormaliseOptions,
  norm,
  standardDeviation,
  type VarianceOptions,
  variance,
} from './autograd/ops/statistics.js';
export { transpose } from './autograd/ops/transpose.js';
export { VIEW_NUMBERS, warp, warpAdjoint } from './autograd/ops/warp.js';
export type { Origin } from './autograd/origin.js';
export { type PrintOptions, type ProfilePrintOptions, print } from './autograd/print.js';
export { type ChromeTrace, type TraceEvent, toTrace } from './autograd/profile/chromeTrace.js';
export {
  type DeviceSpan,
  type HostTimes,
  type KernelProfile,
  type Profile,
  profile,
} from './autograd/profile/profile.js';
export {
  type Attribute,
  type Attributes,
  type DataType,
  f32,
  i32,
  type Operation,
  type Shape,
  type Tape,
  type TensorType,
} from './autograd/tape.js';
export { gradientTape, jvpTape, selectOutputs } from './autograd/tapeTransforms.js';
export { Recorder, type Tensor, trace } from './autograd/trace.js';
export {
  type ForwardSweep,
  interpretForward,
  interpretUnroll,
  type UnrollResult,
  type UnrollValues,
  type Values,
} from './autograd/unroll/interpretUnroll.js';
export type { StorageFormat } from './autograd/unroll/keptStorage.js';
export { type Observable, type Observation, truncationCosines } from './autograd/unroll/observer.js';
export type { MemoryMode, Trajectory, UnrollDescription, UnrollOptions } from './autograd/unroll/options.js';
export {
  type InnerOptimiser,
  type InnerProblem,
  type OptimiserState,
  type OuterObjective,
  type StepContext,
  type Tensors,
  type TensorTypes,
  trajectoryLoss,
} from './autograd/unroll/problem.js';
export { Unroll } from './autograd/unroll/unroll.js';
export {
  ConfigError,
  DataError,
  DeviceError,
  DeviceLostError,
  DeviceTimeoutError,
  HypergradError,
  InterruptedError,
  MissingPackageError,
  NumericsError,
  SchedulerError,
  ShapeError,
  StoreError,
} from './errors.js';
export { type BrowserDeviceChoice, type BrowserDeviceOptions, openBrowserDevice } from './gpu/browser.js';
export { type AdapterDescription, Device, type DeviceOrigin } from './gpu/device.js';
export type { AdapterKind } from './gpu/deviceRequest.js';
export type { HostActivity, HostSpan } from './gpu/hostClock.js';
export type { ProfileOptions, TimingMethod } from './gpu/profiler.js';
export type { Remedies, WaitFor } from './gpu/waits.js';
export type { KernelName } from './kernels/catalogue.js';
export type { DevicePeaks } from './kernels/peaks.js';
export { normal, permutation, type StreamKey, streamWords, uniform, uniformRange } from './kernels/philox.js';
export { type ConvNetOptions, convNet } from './nn/convNet.js';
export { evaluationMode } from './nn/evaluationMode.js';
export {
  type BarlowTwinsOptions,
  barlowTwins,
  softmaxCrossEntropy,
  standardiseColumns,
} from './nn/losses.js';
export { type MlpOptions, mlp } from './nn/mlp.js';
export { initialParameters, type Model, type ModelOutput, type ModelWithBuffers } from './nn/model.js';
export { ntXent } from './nn/ntXent.js';
export { type AdamSettings, adam, adamStep, type InnerAdamSettings } from './nn/optimisers/adam.js';
export { type LarsSettings, lars } from './nn/optimisers/lars.js';
export { type InnerSgdSettings, type SgdSettings, sgd, sgdStep } from './nn/optimisers/sgd.js';
export {
  joinParameters,
  type ParameterEntry,
  type ParameterLayout,
  packParameters,
  splitParameters,
  unpack,
} from './nn/parameters.js';
export { fitProbe, type Probe, type ProbeOptions, probeAccuracy, probeProbabilities } from './nn/probe.js';
export { type ResNet18Options, resNet18 } from './nn/resNet18.js';
