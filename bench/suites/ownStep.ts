/** One training step on our side, ready to run. */
import { compile } from '../../src/autograd/compile/plan.js';
import { gradient } from '../../src/autograd/gradient.js';
import { mul, sub } from '../../src/autograd/ops/elementwise.js';
import { mse } from '../../src/autograd/ops/mse.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import type { Device } from '../../src/gpu/device.js';
import { splitParameters } from '../../src/nn/parameters.js';
import { flat, updateOf } from '../cases/parameters.js';
import type { StudentCase } from '../cases/types.js';
import type { Contender } from '../contender.js';

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
