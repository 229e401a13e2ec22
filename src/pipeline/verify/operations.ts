/** Replays reference cases of single operations: value, first derivatives and second derivatives. */
import { compile } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { avgPool2d } from '../../autograd/ops/avgPool2d.js';
import { batchNorm, batchNormWith } from '../../autograd/ops/batchNorm.js';
import { conv2d } from '../../autograd/ops/conv2d.js';
import { add, fill, relu } from '../../autograd/ops/elementwise.js';
import { instanceNorm, NORM_EPSILON } from '../../autograd/ops/instanceNorm.js';
import { crossCorrelation, matmul } from '../../autograd/ops/matmul.js';
import { maxPool2d } from '../../autograd/ops/maxPool2d.js';
import { mse } from '../../autograd/ops/mse.js';
import type { Pool2dOptions } from '../../autograd/ops/pool2dExtents.js';
import { dot, reshape } from '../../autograd/ops/reduce.js';
import { f32, i32, type TensorType } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import { DataError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { barlowTwins, softmaxCrossEntropy } from '../../nn/losses.js';
import { ntXent } from '../../nn/ntXent.js';
import { shown } from '../store/shownText.js';
import {
  flagOf,
  floatsOf,
  numberOf,
  type Outputs,
  pairOf,
  type ReferenceCase,
  tensorOf,
  wholeNumbersOf,
} from './case.js';

/** What a case may leave out of its config, as in the papers. */
const BARLOW_TWINS_LAMBDA = 0.005;
const NT_XENT_TEMPERATURE = 0.5;

type Build = (inputs: Readonly<Record<string, Tensor>>, reference: ReferenceCase) => Tensor;

/** The input of the first of these names that the case holds. */
function inputOf(inputs: Readonly<Record<string, Tensor>>, names: readonly string[]): Tensor {
  const name = names.find((each) => inputs[each] !== undefined);
  if (name === undefined) {
    throw new DataError(
      `an input of the case is missing: 'in.${names[0]}' (or ${names.slice(1).join(', ')}).`,
    );
  }
  return inputs[name]!;
}

const poolOptions = (c: ReferenceCase): Pool2dOptions => ({
  size: pairOf(c, 'size'),
  stride: pairOf(c, 'stride', pairOf(c, 'size')),
  padding: pairOf(c, 'padding', 0),
});

/** Batch norm in either mode; gamma and beta may be left out, and statistics have PyTorch's names or plain ones. */
const buildBatchNorm: Build = (inputs, c) => {
  const x = inputs.x!;
  const channels = [x.shape[1]!];
  const gamma = inputs.gamma ?? fill(x, channels, 1);
  const beta = inputs.beta ?? fill(x, channels, 0);
  const epsilon = numberOf(c, 'eps', NORM_EPSILON);
  if (flagOf(c, 'training', true)) return batchNorm(x, gamma, beta, epsilon).output;
  const mean = inputOf(inputs, ['mean', 'running_mean', 'runningMean']);
  const variance = inputOf(inputs, [
    'variance',
    'var',
    'running_var',
    'runningVar',
    'running_variance',
    'runningVariance',
  ]);
  return batchNormWith(x, gamma, beta, { mean, variance }, epsilon);
};

const builders: Readonly<Record<string, Build>> = {
  avgPool2d: ({ x }, c) => avgPool2d(x!, poolOptions(c)),
  barlowTwins: ({ z1, z2 }, c) =>
    barlowTwins(z1!, z2!, {
      lambda: numberOf(c, 'lambda', BARLOW_TWINS_LAMBDA),
      standardise: flagOf(c, 'standardise', true),
    }),
  batchNorm: buildBatchNorm,
  conv2d: ({ x, w, b }, c) =>
    conv2d(x!, w!, {
      stride: pairOf(c, 'stride', 1),
      padding: pairOf(c, 'padding', 0),
      ...(b && { bias: b }),
    }),
  crossCorrelation: ({ z1, z2 }) => crossCorrelation(z1!, z2!),
  instanceNorm: ({ x, gamma, beta }, c) => instanceNorm(x!, gamma!, beta!, numberOf(c, 'eps', NORM_EPSILON)),
  matmul: ({ a, b }, c) =>
    matmul(a!, b!, {
      transposeA: flagOf(c, 'transposeA', false),
      transposeB: flagOf(c, 'transposeB', false),
    }),
  maxPool2d: ({ x }, c) => maxPool2d(x!, poolOptions(c)),
  mse: ({ pred, target }) => mse(pred!, target!),
  ntXent: ({ z1, z2 }, c) => ntXent(z1!, z2!, numberOf(c, 'temperature', NT_XENT_TEMPERATURE)),
  relu: ({ x }) => relu(x!),
  softmaxCrossEntropy: ({ logits, labels }) => softmaxCrossEntropy(logits!, labels!),
};

/** Operations that a reference case may name. */
const verifiableOperations: readonly string[] = Object.keys(builders);

/**
 * The inputs by which the case differentiates: those of which it holds a derivative or a direction. Where it holds second
 * derivatives, each needs its direction.
 */
function operandsOf(reference: ReferenceCase, floats: readonly string[]): string[] {
  const { tensors } = reference;
  const outputs = [...tensors.keys()].filter((key) => key.startsWith('out.'));
  const operands = floats.filter(
    (key) =>
      key !== 'v' && [`out.d_${key}`, `out.dd_${key}`, `in.u_${key}`].some((name) => tensors.has(name)),
  );
  if (outputs.some((key) => key.startsWith('out.dd_'))) {
    for (const key of operands) tensorOf(reference, `in.u_${key}`);
  }
  return operands;
}

/**
 * `y = op(in)`; `d_<input>` = gradient of ⟨y, v⟩; `dd_<input>` and `dd_v` = gradient of Σ ⟨d_<input>, u_<input>⟩. What the
 * case does not hold is not computed.
 *
 * @throws DataError for an operation that is not known, or an input that is missing.
 */
export async function replayOperation(reference: ReferenceCase, device: Device): Promise<Outputs> {
  const name = String(reference.config.op);
  // The name is the file's: it may be that of what every object has.
  const build = Object.hasOwn(builders, name) ? builders[name] : undefined;
  if (build === undefined) {
    throw new DataError(
      `the operation '${shown(name)}' is not known; known are ${verifiableOperations.join(', ')}.`,
    );
  }
  const floats = [...reference.tensors.keys()]
    .filter((key) => key.startsWith('in.'))
    .map((key) => key.slice('in.'.length));
  const operands = operandsOf(reference, floats);
  const labels = wholeNumbersOf(reference, 'labels');
  const types: Record<string, TensorType> = Object.fromEntries(
    floats.map((key) => [key, f32(...tensorOf(reference, `in.${key}`).shape)]),
  );
  if (labels !== undefined) types.labels = i32(labels.length);

  const tape = trace(types, (inputs) => {
    const y = build(inputs, reference);
    return { y, ...derivatives(y, inputs, operands) };
  });
  const plan = await compile(tape, device, { label: reference.name });
  try {
    return await plan.run({
      ...Object.fromEntries(floats.map((key) => [key, floatsOf(reference, `in.${key}`)])),
      ...(labels === undefined ? {} : { labels }),
    });
  } finally {
    plan.release();
  }
}

/** First derivatives along v by the operands, and second ones along those operands' directions that are given. */
function derivatives(
  y: Tensor,
  inputs: Readonly<Record<string, Tensor>>,
  operands: readonly string[],
): Record<string, Tensor> {
  if (operands.length === 0) return {};
  const wrt = operands.map((key) => inputs[key]!);
  const first = gradient(dot(y, reshape(inputs.v!, y.shape)), wrt, { unconnected: 'zero' });
  const results = operands.map((key, k) => [`d_${key}`, first[k]!] as const);
  const terms = operands.flatMap((key, k) => {
    const direction = inputs[`u_${key}`];
    return direction === undefined ? [] : [dot(first[k]!, direction)];
  });
  if (terms.length === 0) return Object.fromEntries(results);
  const along = terms.reduce((total, term) => add(total, term));
  const second = gradient(along, [...wrt, inputs.v!], { unconnected: 'zero' });
  return Object.fromEntries([
    ...results,
    ...[...operands, 'v'].map((key, k) => [`dd_${key}`, second[k]!] as const),
  ]);
}
