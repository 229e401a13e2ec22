/** How the result of ten training steps changes with the pixels that were trained on. */
import { convNet, f32, initialParameters, mse, normal, openBrowserDevice, sgd, Unroll } from 'hypergrad';

const [count, image, output] = [20, [1, 14, 14], 32] as const;
const student = convNet({ image, depth: 2, width: 16, output });
const unroll = await Unroll.create({
  device: await openBrowserDevice(),
  problem: {
    parameters: student.parameters.total,
    tables: { images: f32(count, ...image), targets: f32(count, output) },
    loss: (theta, { images, targets }) => mse(student.forward(theta, images!).output, targets!),
  },
  optimiser: sgd(),
  steps: 10,
  batchSizes: [count],
});
const draw = (purpose: string, size: number) => normal({ seed: 1, purpose, index: 0 }, size);
const theta = (index: number) =>
  initialParameters(student.parameters, { seed: 1, purpose: 'student', index });
unroll.write('images', draw('images', count * 14 * 14));
unroll.write('targets', draw('targets', count * output));
unroll.write('learningRate', Float32Array.of(0.1));
unroll.submit({
  start: theta(0),
  outer: { start: theta(0), target: theta(1) },
  batches: Array.from({ length: 10 }, () => Int32Array.from({ length: count }, (_, row) => row)),
});
const pixels = await unroll.gradient('images');
document.querySelector('output')!.value =
  `loss ${await unroll.loss()}, pixel derivative ${pixels[0]} and ${pixels.length - 1} more`;
