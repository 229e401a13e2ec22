/** Replays reference cases of single operations: value, first derivatives and second derivatives. */
import { compile } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { avgPool2d } from '../../autograd/ops/avgPool2d.js';
import { conv2d } from '../../autograd/ops/conv2d.js';
import { add, relu } from '../../autograd/ops/elementwise.js';
import { instanceNorm } from '../../autograd/ops/instanceNorm.js';
import { crossCorrelation, matmul } from '../../autograd/ops/matmul.js';
import { mse } from '../../autograd/ops/mse.js';
import { dot, reshape } from '../../autograd/ops/reduce.js';
import { f32, i32, type TensorType } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import { DataError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { barlowTwins, softmaxCrossEntropy } from '../../nn/losses.js';
import { floatsOf, numberOf, type Outputs, type ReferenceCase, tensorOf } from './case.js';

type Build = (inputs: Readonly<Record<string, Tensor>>, reference: ReferenceCase) => Tensor;

const flag = (reference: ReferenceCase, key: string): boolean => reference.config[key] === true;

const builders: Readonly<Record<string, Build>> = {
  avgPool2d: ({ x }, c) => avgPool2d(x!, { size: numberOf(c, 'size'), stride: numberOf(c, 'stride') }),
  barlowTwins: ({ z1, z2 }, c) =>
    barlowTwins(z1!, z2!, { lambda: numberOf(c, 'lambda'), standardise: flag(c, 'standardise') }),
  conv2d: ({ x, w, b }, c) =>
    conv2d(x!, w!, { stride: numberOf(c, 'stride'), padding: numberOf(c, 'padding'), ...(b && { bias: b }) }),
  crossCorrelation: ({ z1, z2 }) => crossCorrelation(z1!, z2!),
  instanceNorm: ({ x, gamma, beta }, c) => instanceNorm(x!, gamma!, beta!, numberOf(c, 'eps')),
  matmul: ({ a, b }, c) =>
    matmul(a!, b!, { transposeA: flag(c, 'transposeA'), transposeB: flag(c, 'transposeB') }),
  mse: ({ pred, target }) => mse(pred!, target!),
  relu: ({ x }) => relu(x!),
  softmaxCrossEntropy: ({ logits, labels }) => softmaxCrossEntropy(logits!, labels!),
};

/** Operations that a reference case may name. */
const verifiableOperations: readonly string[] = Object.keys(builders);

/**
 * `y = op(in)`; `d_<input>` = gradient of ⟨y, v⟩; `dd_<input>` and `dd_v` = gradient of Σ ⟨d_<input>, u_<input>⟩.
 *
 * @throws DataError for an operation that is not known.
 */
export async function replayOperation(reference: ReferenceCase, device: Device): Promise<Outputs> {
  const name = String(reference.config.op);
  const build = builders[name];
  if (build === undefined) {
    throw new DataError(
      `the operation '${name}' is not known; known are ${verifiableOperations.join(', ')}.`,
    );
  }
  const floats = [...reference.tensors.keys()]
    .filter((key) => key.startsWith('in.'))
    .map((key) => key.slice(3));
  const operands = floats.filter((key) => key !== 'v' && !key.startsWith('u_'));
  const labels = reference.config.labels as readonly number[] | undefined;
  const types: Record<string, TensorType> = Object.fromEntries(
    floats.map((key) => [key, f32(...tensorOf(reference, `in.${key}`).shape)]),
  );
  if (labels !== undefined) types.labels = i32(labels.length);

  const tape = trace(types, (inputs) => {
    const y = build(inputs, reference);
    const v = reshape(inputs.v!, y.shape);
    const wrt = operands.map((key) => inputs[key]!);
    const first = gradient(dot(y, v), wrt);
    const along = operands
      .map((key, k) => dot(first[k]!, inputs[`u_${key}`]!))
      .reduce((total, term) => add(total, term));
    const second = gradient(along, [...wrt, inputs.v!], { unconnected: 'zero' });
    return {
      y,
      ...Object.fromEntries(operands.map((key, k) => [`d_${key}`, first[k]!])),
      ...Object.fromEntries([...operands, 'v'].map((key, k) => [`dd_${key}`, second[k]!])),
    };
  });
  const plan = await compile(tape, device, { label: reference.name });
  try {
    return await plan.run({
      ...Object.fromEntries(floats.map((key) => [key, floatsOf(reference, `in.${key}`)])),
      ...(labels === undefined ? {} : { labels: Int32Array.from(labels) }),
    });
  } finally {
    plan.release();
  }
}
