/**
 * Weights of the examples, learnt by gradient: four in ten of 1 000 training digits carry a wrong label, and which ones is
 * found out by what trust in each does to the loss on 100 clean digits (data hyper-cleaning, Franceschi et al. 2017).
 */
import {
  compile,
  div,
  equal,
  expandDims,
  f32,
  i32,
  linear,
  max,
  mean,
  mul,
  oneHot,
  reshape,
  segment,
  sgd,
  sigmoid,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  trace,
  Unroll,
  uniform,
} from 'hypergrad';
import { loadDataset, openDevice, resolveConfig } from 'hypergrad/node';
import { outerAdam } from './outerAdam.js';

const [doubted, clean, tested, classes] = [1000, 100, 1000, 10];
const [steps, batch] = [20, 250];
const count = doubted + clean;
const { train, test, image } = await loadDataset(resolveConfig({ sets: ['data.pool=4'] }).data, 1);
const pixels = image[1] * image[2];
const images = train.images.slice(0, count * pixels);
const testing = { images: test.images.slice(0, tested * pixels), labels: test.labels!.slice(0, tested) };

// The first 1 000 labels are those to doubt: four in ten become another class.
const draw = (purpose: string): Float32Array => uniform({ seed: 1, purpose, index: 0 }, doubted);
const [luck, other] = [draw('luck'), draw('other')];
const isWrong = (row: number): boolean => row < doubted && luck[row]! < 0.4;
const labels = train
  .labels!.slice(0, count)
  .map((label, row) =>
    isWrong(row) ? (label + 1 + Math.floor(other[row]! * (classes - 1))) % classes : label,
  );

/** Softmax regression: images [B, 1, height, width] to logits [B, classes]. */
const parameters = classes * pixels + classes;
const logitsOf = (theta: Tensor, images: Tensor): Tensor =>
  linear(
    reshape(images, [images.shape[0]!, pixels]),
    segment(theta, 0, [classes, pixels]),
    segment(theta, classes * pixels, [classes]),
  );

const device = await openDevice();
const unroll = await Unroll.create({
  device,
  problem: {
    parameters,
    tables: { images: f32(count, ...image), labels: i32(count), trust: f32(count) },
    // The mean cross-entropy with weights σ(trust), which lie between 0 and 1 whatever is learnt.
    loss: (theta, { images, labels, trust }) => {
      const weights = sigmoid(trust!);
      const targets = mul(expandDims(weights, 1), oneHot(labels!, classes));
      const total = mean(weights, 0, { keepDimensions: false });
      return div(softmaxCrossEntropy(logitsOf(theta, images!), targets), total);
    },
  },
  optimiser: sgd(),
  outer: {
    inputs: { cleanImages: f32(clean, ...image), cleanLabels: i32(clean) },
    loss: (theta, { cleanImages, cleanLabels }) =>
      softmaxCrossEntropy(logitsOf(theta, cleanImages!), cleanLabels!),
  },
  steps,
  batchSizes: [batch],
  wrt: ['trust'],
  memory: 'full',
});
unroll.write('images', images);
unroll.write('labels', labels);
unroll.write('cleanImages', images.slice(doubted * pixels));
unroll.write('cleanLabels', labels.slice(doubted));
unroll.write('learningRate', Float32Array.of(0.5));

/** Trains for twenty steps, five passes over the rows given, with this trust in them; and goes back. */
function submit(trust: ArrayLike<number>, rowOf = (k: number): number => k): void {
  unroll.write('trust', Float32Array.from(trust));
  const batches = Array.from({ length: steps }, (_, step) =>
    Int32Array.from({ length: batch }, (_, k) => rowOf((step * batch + k) % doubted)),
  );
  unroll.submit({ start: new Float32Array(parameters), batches });
}

const judge = await compile(
  trace({ theta: f32(parameters), images: f32(tested, ...image), labels: i32(tested) }, (inputs) => {
    const logits = logitsOf(inputs.theta, inputs.images);
    const own = sum(mul(oneHot(inputs.labels, classes), logits), 1);
    return { accuracy: mean(equal(own, max(logits, 1))) };
  }),
  device,
);
/** Share of the test digits that the student of the last training gets right, in per cent. */
async function accuracy(): Promise<string> {
  const theta = await unroll.parametersAt(steps);
  const found = await judge.run({ theta, ...testing });
  return (100 * found.accuracy![0]!).toFixed(1);
}

const zeros = new Float32Array(count);
const descent = outerAdam(zeros, 0.2);
for (let iteration = 0; iteration < 40; iteration++) {
  submit(descent.value);
  descent.step(await unroll.gradient('trust'));
}
const learnt = descent.value;

console.log(`test accuracy of softmax regression after ${steps} steps, in %`);
submit(zeros);
console.log(`all ${doubted} labels trusted alike         ${await accuracy()}`);
submit(zeros, (k) => doubted + (k % clean));
console.log(`the ${clean} clean digits alone           ${await accuracy()}`);
submit(learnt);
console.log(`learnt weights                       ${await accuracy()}`);
submit(zeros.map((_, row) => (isWrong(row) ? -20 : 20)));
console.log(`only the labels that are right       ${await accuracy()}`);

const meanWeight = (isCounted: (row: number) => boolean): string => {
  const weights = [...learnt]
    .filter((_, row) => row < doubted && isCounted(row))
    .map((x) => 1 / (1 + Math.exp(-x)));
  return (weights.reduce((total, weight) => total + weight, 0) / weights.length).toFixed(2);
};
console.log(
  `mean weight of a wrong label ${meanWeight(isWrong)}, of a right one ${meanWeight((row) => !isWrong(row))}`,
);
judge.release();
unroll.release();
device.close();
