/** One training step: forward, backward and the update. */
import { compile } from '../../src/autograd/compile/plan.js';
import { gradient } from '../../src/autograd/gradient.js';
import { mul, sub } from '../../src/autograd/ops/elementwise.js';
import { mse } from '../../src/autograd/ops/mse.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import type { Device } from '../../src/gpu/device.js';
import { joinParameters, splitParameters } from '../../src/nn/parameters.js';
import { studentCases } from '../cases/students.js';
import type { NamedTensor, StudentCase } from '../cases/types.js';
import { compare } from '../compare.js';
import type { Contender } from '../contender.js';
import { updateOf } from '../peers/shared.js';
import { type SuiteContext, subjectOf } from './suite.js';

/** A gradient is a long way of sums; two right ones differ by about 1e-6. */
const TOLERANCE = 1e-4;

/** θ as our model lays it out. */
export function flat({ model }: StudentCase, parameters: readonly NamedTensor[]): Float32Array {
  return joinParameters(
    model.parameters,
    Object.fromEntries(parameters.map(({ name, data }) => [name, data])),
  );
}

/** A step of ours, with its numbers on the device. */
export async function ownStep(device: Device, given: StudentCase): Promise<Contender> {
  const { model, images, targets, learningRate, parameters } = given;
  const types = {
    theta: f32(model.parameters.total),
    images: f32(...images.shape),
    targets: f32(...targets.shape),
    rate: f32(),
  };
  const tape = trace(types, ({ theta, images, targets, rate }) => {
    const loss = mse(model.forward(theta, images).output, targets);
    const [g] = gradient(loss, [theta]) as [Tensor];
    return { theta: sub(theta, mul(rate, g)), loss };
  });
  const plan = await compile(tape, device, { label: 'step', carry: { theta: 'theta' } });
  plan.write('theta', flat(given, parameters));
  plan.write('images', images.data);
  plan.write('targets', targets.data);
  plan.write('rate', Float32Array.of(learningRate));
  return {
    async results() {
      plan.write('theta', flat(given, parameters));
      plan.submit();
      const after = splitParameters(model.parameters, await plan.read('theta'));
      const update = updateOf(
        parameters,
        parameters.map(({ name }) => after[name]!),
      );
      return { loss: await plan.read('loss'), update };
    },
    async run(repeats) {
      for (let k = 0; k < repeats; k++) plan.submit();
      await device.settle();
    },
    release: () => plan.release(),
  };
}

/** Measures a step of every student. */
export async function stepSuite(context: SuiteContext): Promise<void> {
  const { device, peers, report, rounds } = context;
  for (const given of studentCases()) {
    const subject = subjectOf('step', given.name, context);
    const competitors = peers.map((peer) =>
      'why' in peer ? peer : { name: peer.name, forms: peer.step(given) },
    );
    const contender = await ownStep(device, given);
    const { rows, ours: measured } = await compare(subject, contender, competitors, {
      rounds,
      tolerance: TOLERANCE,
    });
    contender.release();
    report([...rows, { ...subject, metric: 'time', value: measured.medianMs, unit: 'ms' }]);
  }
}
