/**
 * A learnt initialisation: θ_0 from which five steps of SGD fit a new sine wave from ten points of it, by the gradient
 * through these steps (model-agnostic meta-learning, Finn, Abbeel and Levine 2017). Held against fresh random ones.
 */
import {
  add,
  expandDims,
  f32,
  mul,
  reshape,
  scale,
  sgd,
  split,
  sub,
  sum,
  sumAll,
  type Tensor,
  tanh,
  Unroll,
  uniform,
} from 'hypergrad';
import { openDevice } from 'hypergrad/node';
import { outerAdam } from './outerAdam.js';

const [tasks, points, hidden, steps] = [16, 10, 40, 5];
/** Parameters of one network: weights and biases of the hidden layer, weights and bias of the output. */
const parameters = 3 * hidden + 1;

/** Sixteen networks side by side, one a task: theta [tasks · parameters], x [tasks, points, 1]. */
function networks(theta: Tensor, x: Tensor): Tensor {
  const parts = split(reshape(theta, [tasks, parameters]), [hidden, hidden, hidden, 1], 1);
  const [w1, b1, w2, b2] = parts.map((part) => expandDims(part, 1)) as [Tensor, Tensor, Tensor, Tensor];
  return add(sum(mul(tanh(add(mul(x, w1), b1)), w2), 2), b2);
}
/** Squared error, its mean over the points of each task added up over the tasks: none feels another's gradient. */
function loss(theta: Tensor, x: Tensor, y: Tensor): Tensor {
  const error = sub(networks(theta, x), y);
  return scale(sumAll(mul(error, error)), 1 / points);
}

const type = f32(tasks, points, 1);
const device = await openDevice();
const unroll = await Unroll.create({
  device,
  problem: {
    parameters: tasks * parameters,
    tables: { x: type, y: type },
    loss: (theta, { x, y }) => loss(theta, x!, y!),
  },
  optimiser: sgd(),
  outer: {
    inputs: { newX: type, newY: type },
    loss: (theta, { newX, newY }) => scale(loss(theta, newX!, newY!), 1 / tasks),
  },
  steps,
  batchSizes: [tasks],
  wrt: [],
  memory: 'full',
});

/** Sixteen waves A·sin(x + φ), A from 0.5 to 2 and φ from 0 to π, each at ten places of [−4, 4] and ten others. */
function drawTasks(index: number) {
  const draw = (purpose: string, size: number): Float32Array => uniform({ seed: 1, purpose, index }, size);
  const [amplitudes, phases] = [draw('amplitude', tasks), draw('phase', tasks)];
  const wave = (x: number, k: number): number =>
    (0.5 + 1.5 * amplitudes[k]!) * Math.sin(x + Math.PI * phases[k]!);
  const placed = (purpose: string) => {
    const x = draw(purpose, tasks * points).map((value) => 8 * value - 4);
    return { x, y: x.map((value, i) => wave(value, Math.floor(i / points))) };
  };
  return { seen: placed('seen'), unseen: placed('unseen') };
}

/** Five steps from a start of each network on the tasks of this number, and back; returns the loss at their other points. */
async function lossOf(start: Float32Array, index: number, rate: number): Promise<number> {
  const { seen, unseen } = drawTasks(index);
  unroll.write('x', seen.x);
  unroll.write('y', seen.y);
  unroll.write('learningRate', Float32Array.of(rate));
  const rows = Int32Array.from({ length: tasks }, (_, row) => row);
  unroll.submit({ start, batches: Array(steps).fill(rows), outer: { newX: unseen.x, newY: unseen.y } });
  return await unroll.loss();
}

/** A network as PyTorch would start it: uniform within ±1/√inputs, of which the hidden layer has one. */
function randomNetwork(index: number): Float32Array {
  const bound = (i: number): number => (i < 2 * hidden ? 1 : 1 / Math.sqrt(hidden));
  return uniform({ seed: 1, purpose: 'network', index }, parameters).map((u, i) => (2 * u - 1) * bound(i));
}
const join = (networkOf: (task: number) => ArrayLike<number>): Float32Array =>
  Float32Array.from(Array.from({ length: tasks }, (_, task) => Array.from(networkOf(task))).flat());

const rate = 0.02;
const descent = outerAdam(randomNetwork(0), 0.02);
const learnt = (): Float32Array => join(() => descent.value);
for (let index = 0; index < 300; index++) {
  await lossOf(learnt(), index, rate);
  // All networks started from the same θ_0, so its gradient is the sum of theirs.
  const adjoint = await unroll.adjointAtStart();
  const gradient = new Float32Array(parameters);
  adjoint.forEach((value, i) => {
    gradient[i % parameters]! += value;
  });
  descent.step(gradient);
}

/** Mean loss over 128 tasks that were not seen before: at the points given, before each step; and at others, after the last. */
async function evaluate(startOf: (batch: number) => Float32Array, stepRate: number): Promise<number[]> {
  const batches = 8;
  const totals = new Float64Array(steps + 1);
  for (let batch = 0; batch < batches; batch++) {
    const loss = await lossOf(startOf(batch), 100_000 + batch, stepRate);
    const inner = await unroll.innerLosses();
    [...inner.map((value) => value / tasks), loss].forEach((value, k) => {
      totals[k]! += value / batches;
    });
  }
  return [...totals];
}
const fresh = (batch: number): Float32Array => join((task) => randomNetwork(1 + batch * tasks + task));

console.log(`mean squared error over 128 new sine waves, ${points} points of each given`);
console.log(`${' '.repeat(26)}given points, before each step            others, at the end`);
const show = (name: string, losses: number[]): void =>
  console.log(name.padEnd(26) + losses.map((value) => value.toFixed(3).padEnd(8)).join(''));
for (const tried of [0.005, 0.01, 0.02, 0.04])
  show(`random start, rate ${tried}`, await evaluate(fresh, tried));
show(`learnt start, rate ${rate}`, await evaluate(learnt, rate));
unroll.release();
device.close();
