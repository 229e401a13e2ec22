/** TensorFlow.js, on WebGPU, WebAssembly or plain JavaScript. Its layout is NHWC; numbers are rearranged before and after. */
import { NORM_EPSILON } from '../../src/autograd/ops/instanceNorm.js';
import { patientWait } from '../../src/gpu/node/patientWait.js';
import { updateOf } from '../cases/parameters.js';
import type { HostTensor, HypergradientCase, KernelCase, NamedTensor, StudentCase } from '../cases/types.js';
import type { Contender, Form, Peer } from '../contender.js';
import { loadPeer, peerVersion } from './load.js';
import { onBackend, permuted } from './shared.js';
import type { Tf, TfTensor, TfTree, TfWebgpuBackend } from './tfjsApi.js';

const toImages = [0, 2, 3, 1];
const fromImages = [0, 3, 1, 2];
const toWeight = [2, 3, 1, 0];
const fromWeight = [3, 2, 0, 1];

/** The blocks' last extents [C,H,W], which a linear head's columns are flattened from. */
function featureShape({ model, depth }: StudentCase): [number, number, number] {
  const [, height, width] = model.image;
  const [rows, columns] = [height >> depth, width >> depth];
  return [model.featureCount / (rows * columns), rows, columns];
}

const arranged = ({ shape, data }: HostTensor, axes: readonly number[]): HostTensor =>
  shape.length === 4 ? permuted({ shape, data }, axes) : { shape, data };

/** A model's tensor as tfjs wants it: HWIO weights, and a head [H·W·C,O]. */
function arrangedParameter(given: StudentCase, { name, shape, data }: NamedTensor): HostTensor {
  if (name !== 'head.weight') return arranged({ shape, data }, toWeight);
  const [outputs, features] = shape as [number, number];
  const head = permuted({ shape: [outputs, ...featureShape(given)], data }, toWeight);
  return { shape: [features, outputs], data: head.data };
}

/** The same tensor's numbers, as we have them. */
function restoredParameter(
  given: StudentCase,
  { name, shape }: NamedTensor,
  data: Float32Array,
): Float32Array {
  const [channels, rows, columns] = featureShape(given);
  const arrangedShape =
    name === 'head.weight'
      ? [rows, columns, channels, shape[0]!]
      : shape.length === 4
        ? toWeight.map((axis) => shape[axis]!)
        : shape;
  return arrangedShape.length === 4
    ? (permuted({ shape: arrangedShape, data }, fromWeight).data as Float32Array)
    : data;
}

function instanceNorm(tf: Tf, x: TfTensor, scale: TfTensor, shift: TfTensor): TfTensor {
  const { mean, variance } = tf.moments(x, [1, 2], true);
  const standardised = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, NORM_EPSILON)));
  return tf.add(tf.mul(standardised, scale), shift);
}

function studentLoss(tf: Tf, depth: number) {
  return (parameters: readonly TfTensor[], images: TfTensor, targets: TfTensor): TfTensor => {
    let x = images;
    for (let block = 0; block < depth; block++) {
      const [weight, bias, scale, shift] = parameters.slice(4 * block) as [
        TfTensor,
        TfTensor,
        TfTensor,
        TfTensor,
      ];
      x = tf.add(tf.conv2d(x, weight, 1, 'same'), bias);
      x = tf.avgPool(tf.relu(instanceNorm(tf, x, scale, shift)), 2, 2, 'valid');
    }
    const [weight, bias] = parameters.slice(4 * depth) as [TfTensor, TfTensor];
    const output = tf.add(tf.matMul(tf.reshape(x, [x.shape[0]!, -1]), weight), bias);
    return tf.mean(tf.square(tf.sub(output, targets)));
  };
}

const CONVOLUTION = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined };

function kernelFunction(tf: Tf, given: KernelCase): (...x: TfTensor[]) => TfTensor {
  switch (given.operation) {
    case 'matmul':
      return (a, b) => tf.matMul(a!, b!);
    case 'conv2d':
      return (x, w) => tf.conv2d(x!, w!, 1, 'same');
    case 'conv2dInputGrad': {
      const attributes = { ...CONVOLUTION, inputShape: toImages.map((axis) => given.output[axis]!) };
      return (dy, filter) =>
        tf.engine().runKernel('Conv2DBackpropInput', { dy: dy!, filter: filter! }, attributes);
    }
    case 'conv2dWeightGrad': {
      const attributes = { ...CONVOLUTION, filterShape: toWeight.map((axis) => given.output[axis]!) };
      return (x, dy) => tf.engine().runKernel('Conv2DBackpropFilter', { x: x!, dy: dy! }, attributes);
    }
    case 'instanceNorm':
      return (x, scale, shift) => instanceNorm(tf, x!, scale!, shift!);
    case 'gather':
      return (table, rows) => tf.gather(table!, rows!, 0);
    case 'elementwiseChain':
      return (a, b) => tf.sub(tf.mul(tf.relu(tf.add(tf.mul(a!, b!), a!)), b!), a!);
  }
}

/** A weight lies second where it is an operand, images first. */
const operandAxes = ({ operation }: KernelCase, index: number): readonly number[] =>
  index === 1 && operation !== 'conv2dWeightGrad' ? toWeight : toImages;

/** The other backends have done their work when their calls return. */
async function finish(tf: Tf): Promise<void> {
  const backend = tf.backend() as Partial<TfWebgpuBackend>;
  if (backend.queue === undefined) return;
  if (backend.commandEncoder) {
    backend.endComputePassEncoder?.();
    backend.submitQueue?.();
  }
  await patientWait(backend.queue.onSubmittedWorkDone());
}

function contenderOf<Result extends TfTree>(
  tf: Tf,
  once: (last: Result | undefined) => Result,
  results: (result: Result) => Promise<Readonly<Record<string, Float32Array>>>,
  held: readonly TfTensor[],
): Contender {
  let last: Result | undefined;
  const dispose = (): void => {
    if (last !== undefined) tf.dispose(last);
    last = undefined;
  };
  return {
    async results() {
      last = tf.tidy(() => once(undefined));
      return await results(last);
    },
    async run(repeats) {
      for (let k = 0; k < repeats; k++) {
        const next = tf.tidy(() => once(last));
        dispose();
        last = next;
      }
      await finish(tf);
    },
    release() {
      dispose();
      tf.dispose([...held]);
    },
  };
}

const onDevice = (tf: Tf, { shape, data }: HostTensor): TfTensor =>
  tf.tensor(data, shape, data instanceof Int32Array ? 'int32' : 'float32');

function kernelForm(tf: Tf, given: KernelCase): Form {
  return async () => {
    const operands = given.operands.map((each, k) => onDevice(tf, arranged(each, operandAxes(given, k))));
    const f = kernelFunction(tf, given);
    const isWeight = given.operation === 'conv2dWeightGrad';
    const read = async (y: TfTensor) => {
      const data = await y.data();
      const back = arranged({ shape: y.shape, data }, isWeight ? fromWeight : fromImages);
      return { y: back.data as Float32Array };
    };
    return contenderOf(tf, () => f(...operands), read, operands);
  };
}

interface Resident {
  readonly start: TfTensor[];
  readonly images: TfTensor;
  readonly targets: TfTensor;
  readonly rate: TfTensor;
  readonly all: TfTensor[];
}

function resident(tf: Tf, given: StudentCase): Resident {
  const start = given.parameters.map((each) => onDevice(tf, arrangedParameter(given, each)));
  const images = onDevice(tf, arranged(given.images, toImages));
  const targets = onDevice(tf, given.targets);
  const rate = tf.scalar(given.learningRate);
  return { start, images, targets, rate, all: [...start, images, targets, rate] };
}

function stepForm(tf: Tf, given: StudentCase): Form {
  return async () => {
    const loss = studentLoss(tf, given.depth);
    const { start, images, targets, rate, all } = resident(tf, given);
    const step = tf.valueAndGrads((...theta) => loss(theta, images, targets));
    return contenderOf(
      tf,
      (last: { value: TfTensor; theta: TfTensor[] } | undefined) => {
        const at = last?.theta ?? start;
        const { value, grads } = step(at);
        return { value, theta: at.map((theta, k) => tf.sub(theta, tf.mul(grads[k]!, rate))) };
      },
      async ({ value, theta }) => {
        const after = await Promise.all(theta.map((each) => each.data()));
        const ours = after.map((data, k) => restoredParameter(given, given.parameters[k]!, data));
        return { loss: await value.data(), update: updateOf(given.parameters, ours) };
      },
      all,
    );
  };
}

/** Written as if it could be: tfjs says itself which derivative it lacks. */
function hypergradientForm(tf: Tf, given: HypergradientCase): Form {
  return async () => {
    const loss = studentLoss(tf, given.depth);
    const { start, images, targets, rate, all } = resident(tf, given);
    const arrival = given.arrival.map((each) => onDevice(tf, arrangedParameter(given, each)));
    const squaredDistance = (a: readonly TfTensor[], b: readonly TfTensor[]): TfTensor =>
      a.map((each, k) => tf.sum(tf.square(tf.sub(each, b[k]!)))).reduce((total, each) => tf.add(total, each));
    const trajectoryLoss = (x: TfTensor, y: TfTensor, rate: TfTensor): TfTensor => {
      let theta = start;
      for (let n = 0; n < given.steps; n++) {
        const gradients = tf.grads((...at) => loss(at, x, y))(theta);
        theta = theta.map((each, k) => tf.sub(each, tf.mul(gradients[k]!, rate)));
      }
      return tf.div(squaredDistance(theta, arrival), squaredDistance(start, arrival));
    };
    const f = tf.valueAndGrads((x, y, rate) => trajectoryLoss(x!, y!, rate!));
    return contenderOf(
      tf,
      () => f([images, targets, rate]),
      async ({ value, grads: [x, y, rate] }) => ({
        loss: await value.data(),
        images: arranged({ shape: x!.shape, data: await x!.data() }, fromImages).data as Float32Array,
        targets: await y!.data(),
        learningRate: await rate!.data(),
      }),
      [...all, ...arrival],
    );
  };
}

/**
 * TensorFlow.js on one of its backends.
 * @throws Error when the backend does not start here.
 */
export async function openTfjs(backend: 'webgpu' | 'wasm' | 'cpu'): Promise<Peer> {
  const tf = (await loadPeer<{ readonly default: Tf }>('@tensorflow/tfjs-core')).default;
  // It registers the gradients of all operations; the core alone knows none.
  await loadPeer<unknown>('@tensorflow/tfjs-layers');
  tf.enableProdMode();
  await loadPeer<unknown>(`@tensorflow/tfjs-backend-${backend}`);
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs's backend '${backend}' does not start here`);
  const select = () => tf.setBackend(backend);
  return {
    name: `tfjs ${backend}`,
    version: peerVersion('@tensorflow/tfjs-core'),
    kernel: (given) => [onBackend(select, kernelForm(tf, given))],
    step: (given) => [onBackend(select, stepForm(tf, given))],
    hypergradient: (given) => [onBackend(select, hypergradientForm(tf, given))],
    close() {},
  };
}
