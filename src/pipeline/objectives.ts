/** The two losses that a student is trained by: distillation (MKDT eq. 5), and the teacher's own, self-supervised one. */
import { gradient } from '../autograd/gradient.js';
import { gather } from '../autograd/ops/gather.js';
import { f32, i32, type TensorType } from '../autograd/tape.js';
import { type Tensor, trace } from '../autograd/trace.js';
import type { AugmentedImages } from '../nn/augmentation.js';
import { mse } from '../nn/losses.js';
import type { Model } from '../nn/model.js';
import type { Objective } from '../nn/objectiveSteps.js';
import { withProjector } from '../nn/selfSupervised.js';
import { drawPairs, type PairSettings, pairLoss, pairTypes } from '../nn/viewPairs.js';

/** Regression of the teacher's representations, as the experts of MKDT learn. */
export function distillation(model: Model, optimiser: Objective['optimiser']): Objective {
  return {
    name: 'distillation',
    parameters: model.parameters.total,
    optimiser,
    tape: ({ imageShape, targetType }, size) =>
      trace(
        {
          theta: f32(model.parameters.total),
          images: f32(...imageShape),
          targets: targetType,
          batch: i32(size),
        },
        ({ theta, images, targets, batch }) => {
          const loss = mse(model.forward(theta, gather(images, batch)).output, gather(targets, batch));
          const [g] = gradient(loss, [theta]) as [Tensor];
          return { loss, gradient: g };
        },
      ),
    draw: () => ({}),
  };
}

/** The teacher's own loss on pairs of random views; θ has the model's tensors first, then a projector's. */
export function selfSupervision(
  model: Model,
  settings: PairSettings,
  optimiser: Objective['optimiser'],
  images: AugmentedImages,
): Objective {
  const { total } = withProjector(model, settings);
  return {
    name: 'selfSupervised',
    parameters: total,
    optimiser,
    tape({ imageShape }, size) {
      const types: Record<string, TensorType> = {
        theta: f32(total),
        images: f32(...imageShape),
        batch: i32(size),
        ...pairTypes(settings, model.image, size),
      };
      return trace(types, (inputs) => {
        const theta = inputs.theta!;
        const loss = pairLoss(model, settings, theta, gather(inputs.images!, inputs.batch!), inputs);
        const [g] = gradient(loss, [theta]) as [Tensor];
        return { loss, gradient: g };
      });
    },
    draw: (key, size) => drawPairs(key, size, images, settings),
  };
}
