/** jax-js (`@jax-js/jax`), on WebGPU or WebAssembly, everything compiled by its `jit`. */
import { NORM_EPSILON } from '../../src/autograd/ops/instanceNorm.js';
import { patientWait } from '../../src/gpu/node/patientWait.js';
import { updateOf } from '../cases/parameters.js';
import type { HostTensor, HypergradientCase, KernelCase, StudentCase } from '../cases/types.js';
import type { Contender, Form, Peer } from '../contender.js';
import type { Jax, JaxArray, JaxTree } from './jaxApi.js';
import { loadPeer, peerVersion } from './load.js';
import { onBackend } from './shared.js';

/** How the backend is waited for. */
type Wait = <T>(work: Promise<T>) => Promise<T>;

const refs = (tensors: readonly JaxArray[]): JaxArray[] => tensors.map((tensor) => tensor.ref);

/** The student's layers as functions of arrays, which take their arguments over. */
function layersOf({ numpy, lax }: Jax) {
  const perChannel = (x: JaxArray): JaxArray => x.reshape([-1, 1, 1]);
  const instanceNorm = (x: JaxArray, scale: JaxArray, shift: JaxArray): JaxArray => {
    const centred = x.ref.sub(x.mean([2, 3], { keepdims: true }));
    const variance = centred.ref.mul(centred.ref).mean([2, 3], { keepdims: true });
    const standardised = centred.div(numpy.sqrt(variance.add(NORM_EPSILON)));
    return standardised.mul(perChannel(scale)).add(perChannel(shift));
  };
  const averagePool = (x: JaxArray): JaxArray => {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
    const even = height % 2 === 0 && width % 2 === 0 ? x : x.slice([], [], [0, 2 * rows], [0, 2 * columns]);
    return even.reshape([batch, channels, rows, 2, columns, 2]).mean([3, 5]);
  };
  const convolve = (x: JaxArray, weight: JaxArray): JaxArray =>
    lax.convGeneralDilated(
      x,
      weight,
      [1, 1],
      [
        [1, 1],
        [1, 1],
      ],
    );
  return { perChannel, instanceNorm, averagePool, convolve };
}

/** The student's forward pass and loss; takes all its arguments over. */
function studentLoss(jax: Jax, depth: number) {
  const { numpy, nn } = jax;
  const { perChannel, instanceNorm, averagePool, convolve } = layersOf(jax);
  return (parameters: JaxArray[], images: JaxArray, targets: JaxArray): JaxArray => {
    let x = images;
    for (let block = 0; block < depth; block++) {
      const [weight, bias, scale, shift] = parameters.slice(4 * block, 4 * block + 4) as [
        JaxArray,
        JaxArray,
        JaxArray,
        JaxArray,
      ];
      x = convolve(x, weight).add(perChannel(bias));
      x = averagePool(nn.relu(instanceNorm(x, scale, shift)));
    }
    const [weight, bias] = parameters.slice(4 * depth) as [JaxArray, JaxArray];
    const features = x.reshape([x.shape[0]!, -1]);
    const difference = numpy.matmul(features, weight.transpose()).add(bias).sub(targets);
    return difference.ref.mul(difference).mean();
  };
}

function kernelFunction(jax: Jax, { operation, output }: KernelCase): (...x: JaxArray[]) => JaxArray {
  const { numpy, nn } = jax;
  const { convolve, instanceNorm } = layersOf(jax);
  const transposed = (f: (x: JaxArray) => JaxArray, at: readonly number[], cotangent: JaxArray): JaxArray => {
    const [y, pullBack] = jax.vjp(f, [numpy.zeros([...at])]);
    y.dispose();
    return pullBack(cotangent)[0]!;
  };
  switch (operation) {
    case 'matmul':
      return (a, b) => numpy.matmul(a!, b!);
    case 'conv2d':
      return (x, w) => convolve(x!, w!);
    case 'conv2dInputGrad':
      return (y, w) => transposed((x) => convolve(x, w!), output, y!);
    case 'conv2dWeightGrad':
      return (x, y) => transposed((w) => convolve(x!, w), output, y!);
    case 'instanceNorm':
      return (x, scale, shift) => instanceNorm(x!, scale!, shift!);
    case 'gather':
      return (table, rows) => numpy.take(table!, rows!, 0);
    case 'elementwiseChain':
      return (a, b) => nn.relu(a!.ref.mul(b!.ref).add(a!.ref)).mul(b!).sub(a!);
  }
}

/** Runs a function again and again, each time on what it gave last, and keeps the last result. */
function contenderOf<Result extends JaxTree>(
  { tree, blockUntilReady }: Jax,
  wait: Wait,
  once: (last: Result | undefined) => Result,
  results: (result: Result) => Promise<Readonly<Record<string, Float32Array>>>,
  held: readonly JaxArray[],
): Contender {
  let last: Result | undefined;
  const dispose = (): void => {
    if (last !== undefined) tree.dispose(last);
    last = undefined;
  };
  return {
    async results() {
      last = once(undefined);
      await wait(blockUntilReady(last));
      return await wait(results(last));
    },
    async run(repeats) {
      // jax-js computes what is asked for: a result that is thrown away too early is never computed.
      const all: Result[] = [];
      for (let k = 0; k < repeats; k++) all.push(once(all.at(-1) ?? last));
      await wait(blockUntilReady(all));
      dispose();
      last = all.pop();
      for (const each of all) tree.dispose(each);
    },
    release() {
      dispose();
      for (const tensor of held) tensor.dispose();
    },
  };
}

function kernelForm(jax: Jax, wait: Wait, kernelCase: KernelCase): Form {
  return async () => {
    const operands = kernelCase.operands.map((each) => onDevice(jax, each));
    const f = jax.jit(kernelFunction(jax, kernelCase));
    // `data` takes its array over.
    const read = async (y: JaxArray) => ({ y: await y.ref.data() });
    return contenderOf(jax, wait, () => f(...refs(operands)), read, operands);
  };
}

function onDevice({ numpy }: Jax, { shape, data }: HostTensor): JaxArray {
  const options = { shape: [...shape], ...(data instanceof Int32Array ? { dtype: numpy.int32 } : {}) };
  return numpy.array(data, options);
}

/** θ' = θ − α·g; takes all over. */
function descend(parameters: JaxArray[], gradients: JaxArray[], learningRate: JaxArray): JaxArray[] {
  const next = parameters.map((theta, k) => theta.sub(learningRate.ref.mul(gradients[k]!)));
  learningRate.dispose();
  return next;
}

function stepForm(
  jax: Jax,
  wait: Wait,
  { parameters, images, targets, learningRate, depth }: StudentCase,
): Form {
  return async () => {
    const loss = studentLoss(jax, depth);
    const start = parameters.map((each) => onDevice(jax, each));
    const [x, y, rate] = [onDevice(jax, images), onDevice(jax, targets), jax.numpy.array(learningRate)];
    const step = jax.jit((theta: JaxArray[], x: JaxArray, y: JaxArray, rate: JaxArray): JaxTree[] => {
      const [value, gradients] = jax.valueAndGrad(loss)(refs(theta), x, y);
      return [value, descend(theta, gradients, rate)];
    }) as (...inputs: [JaxArray[], JaxArray, JaxArray, JaxArray]) => [JaxArray, JaxArray[]];
    return contenderOf(
      jax,
      wait,
      (last: [JaxArray, JaxArray[]] | undefined) => step(refs(last?.[1] ?? start), x.ref, y.ref, rate.ref),
      async ([value, theta]) => ({
        loss: await value.ref.data(),
        update: updateOf(parameters, await Promise.all(theta.map((each) => each.ref.data()))),
      }),
      [...start, x, y, rate],
    );
  };
}

type Trajectory = [
  start: JaxArray[],
  arrival: JaxArray[],
  images: JaxArray,
  targets: JaxArray,
  rate: JaxArray,
];

/**
 * The inner gradient's loss closes over images and targets: passed as arguments, jax-js 0.1 takes them for constants
 * and gives 0. It is compiled by itself too: under one outer `jit` alone, jax-js 0.1.25 gives other numbers.
 */
function hypergradientForm(jax: Jax, wait: Wait, given: HypergradientCase, isCompiledWhole: boolean): Form {
  return async () => {
    const loss = jax.jit(studentLoss(jax, given.depth));
    const squaredDistance = (a: JaxArray[], b: JaxArray[]): JaxArray =>
      a
        .map((each, k) => each.sub(b[k]!))
        .map((difference) => difference.ref.mul(difference).sum())
        .reduce((total, each) => total.add(each));
    const whole = (...[start, arrival, images, targets, rate]: Trajectory): JaxTree[] => {
      const trajectoryLoss = (x: JaxArray, y: JaxArray, rate: JaxArray): JaxArray => {
        let theta = refs(start);
        for (let n = 0; n < given.steps; n++) {
          const gradients = jax.grad((at: JaxArray[]) => loss(at, x.ref, y.ref))(refs(theta));
          theta = descend(theta, gradients, rate.ref);
        }
        for (const each of [x, y, rate]) each.dispose();
        return squaredDistance(theta, refs(arrival)).div(squaredDistance(refs(start), refs(arrival)));
      };
      const result = jax.valueAndGrad(trajectoryLoss, { argnums: [0, 1, 2] })(images, targets, rate);
      for (const each of [...start, ...arrival]) each.dispose();
      return result;
    };
    const f = (isCompiledWhole ? jax.jit(whole) : whole) as (...x: Trajectory) => [JaxArray, JaxArray[]];
    const start = given.parameters.map((each) => onDevice(jax, each));
    const arrival = given.arrival.map((each) => onDevice(jax, each));
    const [x, y] = [onDevice(jax, given.images), onDevice(jax, given.targets)];
    const rate = jax.numpy.array(given.learningRate);
    return contenderOf(
      jax,
      wait,
      () => f(refs(start), refs(arrival), x.ref, y.ref, rate.ref),
      async ([value, gradients]) => {
        const [dx, dy, dRate] = await Promise.all(gradients.map((each) => each.ref.data()));
        return { loss: await value.ref.data(), images: dx!, targets: dy!, learningRate: dRate! };
      },
      [...start, ...arrival, x, y, rate],
    );
  };
}

/**
 * jax-js on one of its backends.
 * @throws Error when it does not offer the backend here.
 */
export async function openJax(backend: 'webgpu' | 'wasm'): Promise<Peer> {
  const jax = await loadPeer<Jax>('@jax-js/jax');
  if (!(await jax.init(backend)).includes(backend))
    throw new Error(`jax-js offers no backend '${backend}' here`);
  // WebGPU is waited for as we wait; WebAssembly works on the thread that waits.
  const wait: Wait = backend === 'webgpu' ? patientWait : (work) => work;
  const select = async () => jax.defaultDevice(backend);
  return {
    name: `jax-js ${backend}`,
    version: `${peerVersion('@jax-js/jax')}${backend === 'wasm' ? ', one thread (Node has no Web Workers)' : ''}`,
    kernel: (given) => [onBackend(select, kernelForm(jax, wait, given))],
    step: (given) => [onBackend(select, stepForm(jax, wait, given))],
    hypergradient: (given) =>
      [true, false].map((isCompiledWhole) =>
        onBackend(select, hypergradientForm(jax, wait, given, isCompiledWhole)),
      ),
    close() {},
  };
}
