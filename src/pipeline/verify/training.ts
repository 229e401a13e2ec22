/** Replays reference cases of training: a student's step, an expert's epochs, an unrolled hypergradient, a probe. */
import { compile } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { stopGradient } from '../../autograd/ops/elementwise.js';
import { dot } from '../../autograd/ops/reduce.js';
import { f32, i32, type TensorType } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import { DataError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { convNet } from '../../nn/convNet.js';
import { releaseTraining, uploadTraining } from '../../nn/deviceImages.js';
import { mse, softmaxCrossEntropy } from '../../nn/losses.js';
import type { Model } from '../../nn/model.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { joinParameters, type ParameterLayout, splitParameters } from '../../nn/parameters.js';
import { fitProbe, probeAccuracy, probeProbabilities } from '../../nn/probe.js';
import { Trainer } from '../../nn/training.js';
import { shown } from '../store/shownText.js';
import {
  batchesOf,
  countOf,
  floatsOf,
  integersOf,
  numberOf,
  type Outputs,
  type ReferenceCase,
  tensorOf,
} from './case.js';

/** Largest extent of a student's tensors, and most of its blocks, that a case may ask for. */
const MOST_EXTENT = 4096;
const MOST_BLOCKS = 12;

/** What the reference cases call a parameter of this project's name. */
function caseName(name: string): string {
  const [layer, kind] = name.split('.') as [string, string];
  const block = /\d+$/.exec(layer)?.[0] ?? '';
  const letter = kind === 'bias' ? 'b' : layer.startsWith('norm') ? 'g' : 'w';
  return `${layer.replace(/\d+$/, '')}_${letter}${block}`;
}

function modelOf(reference: ReferenceCase): Model {
  const size = countOf(reference, 'size', MOST_EXTENT);
  return convNet({
    image: [countOf(reference, 'channels', MOST_EXTENT), size, size],
    depth: countOf(reference, 'depth', MOST_BLOCKS),
    width: countOf(reference, 'width', MOST_EXTENT),
    output: countOf(reference, 'rep', MOST_EXTENT),
  });
}

function readTheta(reference: ReferenceCase, layout: ParameterLayout, prefix: string): Float32Array {
  return joinParameters(
    layout,
    Object.fromEntries(
      layout.entries.map(({ name }) => [name, floatsOf(reference, `in.${prefix}.${caseName(name)}`)]),
    ),
  );
}

function namedOutputs(
  layout: ParameterLayout,
  prefix: string,
  theta: Float32Array,
): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(splitParameters(layout, theta)).map(([name, data]) => [
      `${prefix}.${caseName(name)}`,
      data,
    ]),
  );
}

type Loss = (theta: Tensor, images: Tensor, targets: Tensor) => Tensor;

/** The inner loss that the case asks for, its targets and their type. */
function lossOf(
  reference: ReferenceCase,
  model: Model,
): { loss: Loss; targets: Float32Array | Int32Array; type: TensorType } {
  if (reference.config.loss === 'mse') {
    return {
      loss: (theta, x, y) => mse(model.forward(theta, x).output, y),
      targets: floatsOf(reference, 'in.y'),
      type: f32(...tensorOf(reference, 'in.y').shape),
    };
  }
  if (reference.config.loss === 'crossEntropy') {
    const labels = integersOf(reference, 'idx.labels');
    return {
      loss: (theta, x, y) => softmaxCrossEntropy(model.forward(theta, x).output, y),
      targets: labels,
      type: i32(labels.length),
    };
  }
  throw new DataError(
    `the loss '${shown(String(reference.config.loss))}' is not known; known are mse, crossEntropy.`,
  );
}

/** Output, loss, gradients, Hessian-vector products along `v` and the mixed derivatives by images and targets. */
export async function replayStudentStep(reference: ReferenceCase, device: Device): Promise<Outputs> {
  const model = modelOf(reference);
  const { parameters } = model;
  const { loss: lossFunction, targets, type } = lossOf(reference, model);
  const types = {
    theta: f32(parameters.total),
    v: f32(parameters.total),
    x: f32(...tensorOf(reference, 'in.x').shape),
    y: type,
  };
  const tape = trace(types, ({ theta, v, x, y }) => {
    const loss = lossFunction(theta, x, y);
    const [g, gx, gy] = gradient(loss, [theta, x, y]) as [Tensor, Tensor, Tensor];
    const [hvp, mixedX, mixedY] = gradient(dot(g, stopGradient(v)), [theta, x, y]) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    return {
      output: model.forward(theta, x).output,
      loss,
      g,
      'g.x': gx,
      'g.y': gy,
      hvp,
      'mixed.x': mixedX,
      'mixed.y': mixedY,
    };
  });
  const plan = await compile(tape, device, { label: reference.name });
  try {
    const { g, hvp, ...rest } = await plan.run({
      theta: readTheta(reference, parameters, 'theta'),
      v: readTheta(reference, parameters, 'v'),
      x: floatsOf(reference, 'in.x'),
      y: targets,
    });
    return {
      ...rest,
      ...namedOutputs(parameters, 'g', Float32Array.from(g!)),
      ...namedOutputs(parameters, 'hvp', Float32Array.from(hvp!)),
    };
  } finally {
    plan.release();
  }
}

/** Parameters after every epoch of SGD with momentum and weight decay. */
export async function replayExpert(reference: ReferenceCase, device: Device): Promise<Outputs> {
  const model = modelOf(reference);
  const { loss, targets, type } = lossOf(reference, model);
  const batches = batchesOf(reference);
  const x = tensorOf(reference, 'in.x');
  const data = uploadTraining(device, floatsOf(reference, 'in.x'), x.shape, targets, type.shape);
  const trainer = await Trainer.create({
    device,
    data,
    parameters: model.parameters.total,
    loss,
    optimiser: { momentum: numberOf(reference, 'momentum'), weightDecay: numberOf(reference, 'weightDecay') },
    batchSizes: batches.map((batch) => batch.length),
    label: reference.name,
  });
  try {
    trainer.start(readTheta(reference, model.parameters, 'theta'), numberOf(reference, 'lr'));
    const epochs = countOf(reference, 'epochs', batches.length);
    const perEpoch = batches.length / epochs;
    const outputs: Record<string, Float32Array> = {};
    for (let epoch = 1; epoch <= epochs; epoch++) {
      await trainer.submit(batches.slice((epoch - 1) * perEpoch, epoch * perEpoch));
      Object.assign(outputs, namedOutputs(model.parameters, `epoch${epoch}`, await trainer.parameters()));
    }
    return outputs;
  } finally {
    trainer.release();
    releaseTraining(device, data);
  }
}

/** The trajectory loss, inner losses, θ_N and every hypergradient of an unrolled training by SGD. */
export async function replayUnroll(reference: ReferenceCase, device: Device): Promise<Outputs> {
  const model = modelOf(reference);
  const { parameters } = model;
  const { loss, targets, type } = lossOf(reference, model);
  const batches = batchesOf(reference);
  const steps = countOf(reference, 'steps', batches.length);
  const has = (key: string): boolean => reference.config[key] !== undefined;
  const optimiser = sgd({ momentum: has('momentum'), weightDecay: has('weightDecay') });
  const images = tensorOf(reference, 'in.x').shape;
  const unrolled = await Unroll.create({
    device,
    problem: {
      parameters: parameters.total,
      tables: { images: f32(...images), targets: type },
      loss: (theta, rows) => loss(theta, rows.images!, rows.targets!),
    },
    optimiser,
    steps,
    batchSizes: batches.map((batch) => batch.length),
    wrt: ['images', ...(type.dataType === 'f32' ? ['targets'] : []), ...optimiser.hyperparameters],
  });
  try {
    unrolled.write('images', floatsOf(reference, 'in.x'));
    unrolled.write('targets', targets);
    for (const name of optimiser.hyperparameters) {
      unrolled.write(name, hyperparameterOf(reference, caseHyperparameter(name)));
    }
    const start = readTheta(reference, parameters, 'theta');
    const outer = { start, target: readTheta(reference, parameters, 'target') };
    unrolled.submit({ start, outer, batches });
    const gradients: Record<string, Float32Array> = {};
    for (const name of Object.keys(unrolled.gradients)) {
      gradients[`d_${caseTable(name) ?? caseHyperparameter(name)}`] = await unrolled.gradient(name);
    }
    return {
      loss: [await unrolled.loss()],
      innerLosses: await unrolled.innerLosses(),
      ...gradients,
      ...namedOutputs(parameters, 'theta_N', await unrolled.parametersAt(steps)),
      ...namedOutputs(parameters, 'lambda_0', await unrolled.adjointAtStart()),
    };
  } finally {
    unrolled.release();
  }
}

/** A hyperparameter as a tensor of the case, or else as a number of its config. */
const hyperparameterOf = (reference: ReferenceCase, name: string): Float32Array =>
  reference.tensors.has(`in.${name}`)
    ? floatsOf(reference, `in.${name}`)
    : Float32Array.of(numberOf(reference, name));

const caseTable = (name: string): string | undefined => ({ images: 'x', targets: 'y' })[name];
const caseHyperparameter = (name: string): string => (name === 'learningRate' ? 'lr' : name);

/** The regularised logistic regression's optimum and what it predicts. */
export function replayProbe(reference: ReferenceCase): Outputs {
  const features = tensorOf(reference, 'in.features');
  const settings = {
    classes: countOf(reference, 'classes', features.shape[0]!),
    dimension: features.shape[1]!,
    regularisation: numberOf(reference, 'regularisation'),
  };
  const probe = fitProbe(floatsOf(reference, 'in.features'), integersOf(reference, 'idx.labels'), settings);
  const testFeatures = floatsOf(reference, 'in.testFeatures');
  return {
    optimum: [probe.optimum],
    testAccuracy: [probeAccuracy(probe, testFeatures, integersOf(reference, 'idx.testLabels'))],
    testProbabilities: probeProbabilities(probe, testFeatures),
  };
}
