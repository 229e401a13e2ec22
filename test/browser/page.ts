/** What the browser computes, and Node as well: the engine by its public entry, and nothing of Node's. */
import {
  compile,
  convNet,
  type Device,
  f32,
  initialParameters,
  type MemoryMode,
  mse,
  openBrowserDevice,
  permutation,
  sgd,
  type Tape,
  Unroll,
  uniformRange,
} from '../../src/index.js';

/** Numbers by name, in a form that a page can hand over. */
export type NamedNumbers = Record<string, number[]>;

/** A tape and numbers for its inputs; a tape is plain data, so it travels as it is. */
export interface TapeCase {
  readonly tape: Tape;
  readonly inputs: NamedNumbers;
}

const IMAGE = [3, 16, 16] as const;
const COUNT = 8;
const OUTPUT = 16;
const STEPS = 3;
/** Batches of two sizes, so that both are compiled. */
const BATCHES = [6, 4, 6];

const draw = (purpose: string, count: number): Float32Array =>
  uniformRange({ seed: 1, purpose, index: 0 }, count, -1, 1);

/** One hypergradient of a ConvNet unrolled for three steps: loss, path, adjoint and gradients. */
export async function hypergradient(device: Device, memory?: MemoryMode): Promise<NamedNumbers> {
  const model = convNet({ image: IMAGE, depth: 2, width: 8, output: OUTPUT });
  const unrolled = await Unroll.create({
    device,
    problem: {
      parameters: model.parameters.total,
      tables: { images: f32(COUNT, ...IMAGE), targets: f32(COUNT, OUTPUT) },
      loss: (theta, { images, targets }) => mse(model.forward(theta, images!).output, targets!),
    },
    optimiser: sgd({ momentum: true, weightDecay: true }),
    steps: STEPS,
    batchSizes: BATCHES,
    wrt: ['images', 'targets', 'learningRate', 'momentum', 'weightDecay'],
    memory: memory ?? 'recompute',
    observe: ['adjointNorms'],
  });
  unrolled.write('images', draw('images', unrolled.inputs.images!.bytes / 4));
  unrolled.write('targets', draw('targets', unrolled.inputs.targets!.bytes / 4));
  unrolled.write('learningRate', Float32Array.of(0.1));
  unrolled.write('momentum', Float32Array.of(0.9));
  unrolled.write('weightDecay', Float32Array.of(0.001));
  const theta = (index: number): Float32Array =>
    initialParameters(model.parameters, { seed: 1, purpose: 'student', index });
  unrolled.submit({
    start: theta(0),
    outer: { start: theta(0), target: theta(1) },
    batches: BATCHES.map((size, index) =>
      permutation({ seed: 1, purpose: 'batches', index }, COUNT).slice(0, size),
    ),
  });
  const results: NamedNumbers = {
    loss: [await unrolled.loss()],
    innerLosses: [...(await unrolled.innerLosses())],
    end: [...(await unrolled.parametersAt(STEPS))],
    adjointAtStart: [...(await unrolled.adjointAtStart())],
    adjointNorms: [...(await unrolled.observation()).adjointNorms!],
  };
  for (const name of Object.keys(unrolled.gradients)) results[name] = [...(await unrolled.gradient(name))];
  unrolled.release();
  return results;
}

/** The outputs of tapes, each compiled and run once; `CASE.OUTPUT` names an output. */
export async function outputs(
  device: Device,
  cases: Readonly<Record<string, TapeCase>>,
): Promise<NamedNumbers> {
  const results: NamedNumbers = {};
  for (const [name, { tape, inputs }] of Object.entries(cases)) {
    const plan = await compile(tape, device, { label: name });
    const typed = Object.entries(inputs).map(([input, values]) => {
      const { dataType } = tape.operations[tape.inputs[input]!]!.type;
      return [input, dataType === 'i32' ? Int32Array.from(values) : Float32Array.from(values)] as const;
    });
    const got = await plan.run(Object.fromEntries(typed));
    for (const [output, values] of Object.entries(got)) results[`${name}.${output}`] = [...values];
    plan.release();
  }
  return results;
}

/** The page's part: opens the browser's software device, and works on it. */
export async function onSoftwareDevice<Result>(work: (device: Device) => Promise<Result>): Promise<Result> {
  const device = await openBrowserDevice({ choice: 'software' });
  try {
    return await work(device);
  } finally {
    device.close();
  }
}
