/** Kernels alone: times beside the peers', and rates. */
import { BYTES } from '../../src/autograd/compile/bufferRange.js';
import { compile } from '../../src/autograd/compile/plan.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../src/autograd/ops/conv2d.js';
import { add, mul, relu, sub } from '../../src/autograd/ops/elementwise.js';
import { gather } from '../../src/autograd/ops/gather.js';
import { instanceNorm } from '../../src/autograd/ops/instanceNorm.js';
import { matmul } from '../../src/autograd/ops/matmul.js';
import { f32, i32, sizeOf, type Tape, type TensorType } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import type { Device } from '../../src/gpu/device.js';
import { kernelCases } from '../cases/kernels.js';
import type { HostTensor, KernelCase } from '../cases/types.js';
import { type Competitor, compare, tolerances } from '../compare.js';
import type { Contender } from '../contender.js';
import naiveMatmul from '../naiveMatmul.wgsl?raw';
import { type SuiteContext, subjectOf } from './suite.js';

const NAIVE_SIDE = 8;

const padding = 1;
const build: Readonly<
  Record<KernelCase['operation'], (x: readonly Tensor[], output: readonly number[]) => Tensor>
> = {
  matmul: ([a, b]) => matmul(a!, b!),
  conv2d: ([x, w]) => conv2d(x!, w!, { padding }),
  conv2dInputGrad: ([y, w], output) => conv2dInputGrad(y!, w!, output, { padding }),
  conv2dWeightGrad: ([x, y], output) => conv2dWeightGrad(x!, y!, output, { padding }),
  instanceNorm: ([x, scale, shift]) => instanceNorm(x!, scale!, shift!),
  gather: ([table, rows]) => gather(table!, rows!),
  elementwiseChain: ([a, b]) => sub(mul(relu(add(mul(a!, b!), a!)), b!), a!),
};

const nameOf = (index: number): string => `operand${index}`;

const typeOf = ({ shape, data }: HostTensor): TensorType =>
  data instanceof Int32Array ? i32(...shape) : f32(...shape);

function tapeOf({ operation, operands, output }: KernelCase): Tape {
  const types = Object.fromEntries(operands.map((each, k) => [nameOf(k), typeOf(each)]));
  return trace(types, (inputs) => ({
    y: build[operation](
      operands.map((_, k) => inputs[nameOf(k)]!),
      output,
    ),
  }));
}

async function ours(device: Device, given: KernelCase): Promise<Contender> {
  const plan = await compile(tapeOf(given), device, { label: given.name });
  for (const [k, { data }] of given.operands.entries()) plan.write(nameOf(k), data);
  return {
    async results() {
      plan.submit();
      return { y: await plan.read('y') };
    },
    async run(repeats) {
      for (let k = 0; k < repeats; k++) plan.submit();
      await device.settle();
    },
    release: () => plan.release(),
  };
}

/** The bench's own kernel, without any of the engine's care. */
async function naive(device: Device, { operands, output, name }: KernelCase): Promise<Contender> {
  const pipeline = await device.computePipeline(naiveMatmul, 'naive matmul');
  const buffers = [...operands.map(({ shape }) => shape), output].map((shape) =>
    device.acquireBuffer(sizeOf(shape) * BYTES, name, true),
  );
  for (const [k, { data }] of operands.entries()) device.write(buffers[k]!, data);
  const bindGroup = device.gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const [rows, columns] = output as [number, number];
  const run = async (repeats: number): Promise<void> => {
    for (let k = 0; k < repeats; k++) {
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(Math.ceil(columns / NAIVE_SIDE), Math.ceil(rows / NAIVE_SIDE));
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
    }
    await device.settle();
  };
  return {
    async results() {
      await run(1);
      return { y: new Float32Array(await device.read(buffers.at(-1)!, 0, sizeOf(output) * BYTES)) };
    },
    run,
    release() {
      for (const buffer of buffers) device.releaseBuffer(buffer);
    },
  };
}

/** Measures every kernel. */
export async function kernelSuite(context: SuiteContext): Promise<void> {
  const { device, peers, report, rounds } = context;
  for (const given of kernelCases()) {
    const subject = subjectOf('kernels', given.name, context);
    const own: Competitor[] =
      given.operation === 'matmul' ? [{ name: 'naive kernel', forms: [() => naive(device, given)] }] : [];
    const competitors = peers.map((peer) =>
      'why' in peer ? peer : { name: peer.name, forms: peer.kernel(given) },
    );
    const contender = await ours(device, given);
    const { rows, ours: measured } = await compare(subject, contender, [...own, ...competitors], {
      rounds,
      tolerance: tolerances.kernels,
    });
    contender.release();
    const rate = given.work / (measured.medianMs * 1e-3) / 1e9;
    report([
      ...rows,
      { ...subject, metric: 'time', value: measured.medianMs, unit: 'ms' },
      { ...subject, metric: 'rate', value: rate, unit: given.unit },
    ]);
  }
}
