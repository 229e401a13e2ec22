/**
 * Hyperparameters learnt by gradient: learning rate, momentum and weight decay of each of twenty steps, sixty numbers at once,
 * from the derivative of the validation loss through the whole training. Held against the best of a grid of constant ones.
 */
import {
  exp,
  f32,
  type InnerOptimiser,
  i32,
  initialParameters,
  mlp,
  permutation,
  sgd,
  sigmoid,
  softmaxCrossEntropy,
  type Tensor,
  Unroll,
} from 'hypergrad';
import { type ImageSet, loadDataset, openDevice, resolveConfig } from 'hypergrad/node';
import { outerAdam } from './outerAdam.js';

const [steps, batch, count] = [20, 25, 500];

// Digits of 7×7 pixels: 500 to train on, 500 that the hyperparameters are learnt by, and 500 that only judge.
const { train, test, image } = await loadDataset(resolveConfig({ sets: ['data.pool=4'] }).data, 1);
const size = image[1] * image[2];
const part = ({ images, labels }: ImageSet, first: number) => ({
  images: images.slice(first * size, (first + count) * size),
  labels: labels!.slice(first, first + count),
});
const [training, validation, testing] = [part(train, 0), part(train, count), part(test, 0)];

// SGD on other scales: whatever the numbers that are learnt, rates and decay are positive and momentum is between 0 and 1.
const plain = sgd({ momentum: true, weightDecay: true });
const names = ['logRate', 'momentumLogit', 'logDecay'];
const optimiser: InnerOptimiser = {
  ...plain,
  hyperparameters: names,
  step: ({ hyperparameters: { logRate, momentumLogit, logDecay }, ...values }) => {
    const [learningRate, momentum, weightDecay] = [exp(logRate!), sigmoid(momentumLogit!), exp(logDecay!)];
    return plain.step({ ...values, hyperparameters: { learningRate, momentum, weightDecay } });
  },
};

const model = mlp({ image, depth: 1, width: 32, output: 10 });
const loss = (theta: Tensor, images: Tensor, labels: Tensor): Tensor =>
  softmaxCrossEntropy(model.forward(theta, images).output, labels);
const types = { images: f32(count, ...image), labels: i32(count) };
const device = await openDevice();
const unroll = await Unroll.create({
  device,
  problem: {
    parameters: model.parameters.total,
    tables: types,
    loss: (theta, { images, labels }) => loss(theta, images!, labels!),
  },
  optimiser,
  outer: {
    inputs: { heldOut: types.images, heldOutLabels: types.labels },
    loss: (theta, { heldOut, heldOutLabels }) => loss(theta, heldOut!, heldOutLabels!),
  },
  steps,
  batchSizes: [batch],
  wrt: names,
  perStep: names,
  memory: 'full',
});
unroll.write('images', training.images);
unroll.write('labels', training.labels);

/** Trains from start number `index`, on batches of that number, and goes back; returns the loss on what is held out. */
async function lossOf(learnt: ArrayLike<number>, index: number, heldOut = validation): Promise<number> {
  names.forEach((name, k) => {
    unroll.write(name, Float32Array.from(learnt).subarray(k * steps, (k + 1) * steps));
  });
  const order = permutation({ seed: 1, purpose: 'batches', index }, count);
  unroll.submit({
    start: initialParameters(model.parameters, { seed: 1, purpose: 'start', index }),
    batches: Array.from({ length: steps }, (_, n) => order.slice(n * batch, (n + 1) * batch)),
    outer: { heldOut: heldOut.images, heldOutLabels: heldOut.labels },
  });
  return await unroll.loss();
}

/** Mean loss over five starts that nothing is learnt from. */
async function meanLoss(learnt: ArrayLike<number>, heldOut = validation): Promise<number> {
  let total = 0;
  for (let index = 1000; index < 1005; index++) total += await lossOf(learnt, index, heldOut);
  return total / 5;
}

const constant = (rate: number, momentum: number): number[] =>
  [Math.log(rate), Math.log(momentum / (1 - momentum)), Math.log(1e-3)].flatMap((value) =>
    Array(steps).fill(value),
  );
const start = constant(0.1, 0.5);
let best = { loss: Number.POSITIVE_INFINITY, rate: 0, momentum: 0 };
for (const rate of [0.03, 0.1, 0.3, 1]) {
  for (const momentum of [0.1, 0.5, 0.9]) {
    const loss = await meanLoss(constant(rate, momentum));
    if (loss < best.loss) best = { loss, rate, momentum };
  }
}

const descent = outerAdam(start, 0.1);
for (let index = 0; index < 60; index++) {
  // Another start and other batches each time, so that what is learnt suits the task and not one run of it.
  await lossOf(descent.value, index);
  const gradients = await Promise.all(names.map((name) => unroll.gradient(name)));
  descent.step(gradients.flatMap((gradient) => [...gradient]));
}

const learnt = [...descent.value];
console.log(`cross-entropy after ${steps} steps, mean of 5 new starts   validation   test`);
for (const [name, values] of [
  ['at the start: rate 0.1, momentum 0.5', start],
  [`best constant of 12: rate ${best.rate}, momentum ${best.momentum}`, constant(best.rate, best.momentum)],
  ['learnt', learnt],
] as const) {
  const figures = [await meanLoss(values), await meanLoss(values, testing)].map((value) => value.toFixed(3));
  console.log(`${name.padEnd(54)}${figures.join('        ')}`);
}
const shown = (k: number, from: (value: number) => number): string =>
  learnt
    .slice(k * steps, (k + 1) * steps)
    .map((value) => from(value).toFixed(2))
    .join(' ');
console.log(`learnt rates     ${shown(0, Math.exp)}`);
console.log(`learnt momentum  ${shown(1, (logit) => 1 / (1 + Math.exp(-logit)))}`);
unroll.release();
device.close();
