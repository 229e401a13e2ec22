/** Replays reference cases of the teacher's network: both modes, running statistics and the parameters' gradient. */
import { compile } from '../../autograd/compile/plan.js';
import { gradient } from '../../autograd/gradient.js';
import { dot } from '../../autograd/ops/reduce.js';
import { f32 } from '../../autograd/tape.js';
import { trace } from '../../autograd/trace.js';
import { DataError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { joinParameters, type ParameterLayout, splitParameters } from '../../nn/parameters.js';
import { resNet18 } from '../../nn/resNet18.js';
import { floatsOf, type Outputs, type ReferenceCase, tensorOf } from './case.js';

/**
 * `train.output` and `eval.output`; `running.*`: the running statistics after the training pass; `g.*`: the gradient of
 * ⟨train.output, v⟩ by each parameter. Channels and width are read from the tensors.
 *
 * @throws DataError when a tensor is missing or the images have not four axes.
 */
export async function replayResNet18(reference: ReferenceCase, device: Device): Promise<Outputs> {
  const [batch, channels, height, imageWidth, ...rest] = tensorOf(reference, 'in.x').shape;
  if (
    batch === undefined ||
    channels === undefined ||
    height === undefined ||
    imageWidth === undefined ||
    rest.length > 0
  ) {
    throw new DataError(`${reference.name}: the tensor 'in.x' must be images [B,C,H,W].`);
  }
  const width = tensorOf(reference, 'in.p.conv1.weight').shape[0]!;
  const model = resNet18({ image: [channels, height, imageWidth], width });
  const { parameters, buffers } = model;
  const types = {
    theta: f32(parameters.total),
    running: f32(buffers.total),
    x: f32(batch, channels, height, imageWidth),
    v: f32(batch, model.outputCount),
  };
  const tape = trace(types, ({ theta, running, x, v }) => {
    const trained = model.train(theta, running, x);
    const [g] = gradient(dot(trained.output, v), [theta]);
    return {
      'train.output': trained.output,
      'eval.output': model.evaluate(theta, running, x).output,
      running: trained.buffers,
      g: g!,
    };
  });
  const plan = await compile(tape, device, { label: reference.name });
  try {
    const { running, g, ...outputs } = await plan.run({
      theta: readTensors(reference, parameters),
      running: readTensors(reference, buffers),
      x: floatsOf(reference, 'in.x'),
      v: floatsOf(reference, 'in.v'),
    });
    return {
      ...outputs,
      ...named('running', buffers, Float32Array.from(running!)),
      ...named('g', parameters, Float32Array.from(g!)),
    };
  } finally {
    plan.release();
  }
}

function readTensors(reference: ReferenceCase, layout: ParameterLayout): Float32Array {
  return joinParameters(
    layout,
    Object.fromEntries(layout.entries.map(({ name }) => [name, floatsOf(reference, `in.p.${name}`)])),
  );
}

function named(prefix: string, layout: ParameterLayout, flat: Float32Array): Record<string, Float32Array> {
  const parts = Object.entries(splitParameters(layout, flat));
  return Object.fromEntries(parts.map(([name, data]) => [`${prefix}.${name}`, data]));
}
