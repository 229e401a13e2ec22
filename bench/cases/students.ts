/** The students that are trained, with their starting values. */
import { sizeOf } from '../../src/autograd/tape.js';
import { uniformRange } from '../../src/kernels/philox.js';
import { type ConvNetOptions, convNet } from '../../src/nn/convNet.js';
import { initialParameters } from '../../src/nn/model.js';
import { splitParameters } from '../../src/nn/parameters.js';
import type { HostTensor, HypergradientCase, NamedTensor, StudentCase } from './types.js';

/** Uniform numbers within ±1, the same for everyone who asks under that name. */
export function drawn(purpose: string, shape: readonly number[]): HostTensor {
  return {
    shape,
    data: uniformRange({ seed: 1, purpose: `bench/${purpose}`, index: 0 }, sizeOf(shape), -1, 1),
  };
}

const LEARNING_RATE = 0.1;

interface Sizes extends ConvNetOptions {
  readonly batch: number;
}

const smallSizes: Sizes = { image: [3, 16, 16], depth: 2, width: 8, output: 32, batch: 32 };
/** What the preset mnist-small trains. */
const mnistSmallSizes: Sizes = { image: [1, 14, 14], depth: 2, width: 16, output: 64, batch: 20 };
const wideSizes: Sizes = { ...smallSizes, width: 32 };

const sizesText = ({
  image: [channels, height, width],
  depth,
  width: features,
  output,
  batch,
}: Sizes): string =>
  `width ${features}, depth ${depth}, ${height}×${width}×${channels}, batch ${batch}, ${output} outputs`;

function student(name: string, sizes: Sizes): StudentCase & { parametersAt(index: number): NamedTensor[] } {
  const model = convNet(sizes);
  const parametersAt = (index: number): NamedTensor[] => {
    const values = splitParameters(
      model.parameters,
      initialParameters(model.parameters, { seed: 1, purpose: 'bench/student', index }),
    );
    return model.parameters.entries.map(({ name, shape }) => ({ name, shape, data: values[name]!.slice() }));
  };
  return {
    name: `${name}${sizesText(sizes)}`,
    model,
    depth: sizes.depth,
    parameters: parametersAt(0),
    images: drawn('images', [sizes.batch, ...sizes.image]),
    targets: drawn('targets', [sizes.batch, sizes.output]),
    learningRate: LEARNING_RATE,
    parametersAt,
  };
}

/** The students whose training step is measured. */
export const studentCases = (): StudentCase[] => [
  student('', smallSizes),
  student("mnist-small's student: ", mnistSmallSizes),
  student('', wideSizes),
];

/** The hypergradient of so many steps of a student. */
export function hypergradientCase(which: 'small' | 'mnist-small', steps: number): HypergradientCase {
  const { parametersAt, ...base } =
    which === 'small' ? student('', smallSizes) : student("mnist-small's student: ", mnistSmallSizes);
  return { ...base, name: `${base.name}, N = ${steps}`, steps, arrival: parametersAt(1) };
}
