import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { f32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { initialParameters } from '../../../src/nn/model.js';
import { joinParameters } from '../../../src/nn/parameters.js';
import { resNet18 } from '../../../src/nn/resNet18.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { Config } from '../../../src/pipeline/config/schema.js';
import { type Dataset, loadDataset } from '../../../src/pipeline/data/dataset.js';
import { files, readTensors, type StageContext, teacherModel } from '../../../src/pipeline/stages/context.js';
import { computeTargets } from '../../../src/pipeline/stages/targets.js';
import { teacherTape, trainTeacher } from '../../../src/pipeline/stages/teacher.js';
import { EventLog } from '../../../src/pipeline/store/events.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { expectNear, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();
let scratch = '';
let dataset: Dataset;
const dataSets = ['data.train=20', 'data.test=6', 'subset.fraction=0.5', 'experts.batch=4', 'distil.batch=2'];
const others = ['evaluate.batch=2', 'evaluate.allData.batch=4', 'evaluate.labels=[0.5]'];
const configOf = (...sets: string[]): Config =>
  resolveConfig({
    preset: 'tiny-test',
    sets: [...dataSets, ...others, 'teacher.batch=8', 'teacher.steps=2', ...sets],
  });
const residual = ['teacher.architecture=resNet18', 'teacher.width=1', 'teacher.representation=8'];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-teacher-'));
  dataset = await loadDataset(configOf().data, 1);
});
const folders: RunFolder[] = [];
afterAll(async () => {
  for (const folder of folders) await folder.close();
  await rm(scratch, { recursive: true, force: true });
});

async function train(config: Config): Promise<{ context: StageContext; losses: number[] }> {
  const folder = await RunFolder.open(await mkdtemp(join(scratch, 'run-')));
  const losses: number[] = [];
  const context: StageContext = {
    config,
    dataset,
    device: await device(),
    folder,
    events: new EventLog(folder.pathOf('events.jsonl')),
    advance: (_, loss) => {
      if (loss !== undefined) losses.push(loss);
    },
  };
  folders.push(folder);
  await trainTeacher(context);
  return { context, losses };
}

describe('the teacher', () => {
  it.each([
    [
      'SimCLR and SGD on a cosine, of blurred and solarised views',
      ['method=simClr', 'optimiser=sgd', 'schedule=cosine', 'augmentation.blur=1', 'augmentation.solarise=1'],
    ],
    [
      'raw Barlow Twins and LARS with weight decay, behind two hidden layers',
      ['standardise=false', 'optimiser=lars', 'weightDecay=0.01', 'projectorLayers=2', 'warmUp=1'],
    ],
  ])('trains by %s', async (_, sets) => {
    const { context, losses } = await train(configOf(...sets.map((set) => `teacher.${set}`)));
    expect(losses).toHaveLength(1);
    expect(losses[0]).toBeGreaterThan(0);
    const tensor = await readTensors(context.folder, files.teacher);
    const { parameters } = teacherModel(context);
    const start = initialParameters(parameters, { seed: 1, purpose: 'teacher', index: 0 });
    const { name, offset } = parameters.entries[0]!;
    const trained = tensor(name).data;
    expect(trained).not.toEqual(start.slice(offset, offset + trained.length));
  });

  it('that is a ResNet-18 is kept with its running statistics, and its targets are those of the evaluation mode', async () => {
    const { context } = await train(configOf(...residual));
    await computeTargets(context);
    const tensor = await readTensors(context.folder, files.teacher);
    expect(tensor('bn1.running_mean').data.some((value) => value !== 0)).toBe(true);

    const model = teacherModel(context);
    const theta = joinParameters(
      model.parameters,
      Object.fromEntries(model.parameters.entries.map(({ name }) => [name, tensor(name).data])),
    );
    const types = { theta: f32(theta.length), images: f32(6, ...dataset.image) };
    const tape = trace(types, ({ theta, images }) => ({ y: model.forward(theta, images).output }));
    const { y } = interpret(tape, { theta, images: dataset.test.images });
    const targets = await readTensors(context.folder, files.targets);
    expectNear(targets('test').data, y!, { relative: 1e-4, absolute: 1e-6 });
  });

  it('that normalises over the batch moves its running statistics by the first views, then by the second', () => {
    const config = configOf(...residual, 'teacher.augmentation.noise=0');
    const tape = teacherTape(config, dataset.image, dataset.train.count);
    const model = resNet18({ image: dataset.image, width: 1 });
    const still = [1, 0, 3, 0, 1, 3, 1, 0, 0, 0, 0, 0];
    // The second views are brighter: contrast 2 and a shift.
    const bright = [1, 0, 3, 0, 1, 3, 2, 1, 0, 0, 0, 0];
    const views = (view: number[]): number[] => Array.from({ length: 8 }, () => view).flat();
    const start = initialParameters(model.buffers, { seed: 1, purpose: 'teacher', index: 0 });
    const length = (name: string): number =>
      tape.operations[tape.inputs[name]!]!.type.shape.reduce((product, extent) => product * extent, 1);
    const zeros = (name: string) => new Float64Array(length(name));
    const step = (viewA: number[], viewB: number[]) =>
      interpret(tape, {
        theta: numbers(1, 'theta', length('theta')).map((value) => 0.1 * value),
        running: start,
        first: zeros('first'),
        second: zeros('second'),
        decay1: [0.9],
        decay2: [0.999],
        learningRate: [0],
        images: dataset.train.images,
        batch: Int32Array.from({ length: 8 }, (_, k) => k),
        viewA: views(viewA),
        viewB: views(viewB),
        noiseA: [0, 0, 0, 0],
        noiseB: [0, 0, 0, 0],
      }).running!.slice(0, 1)[0]!;
    // The running mean of the only channel: 0.9·(0.9·0 + 0.1·a) + 0.1·b, a and b the views' means.
    const [a, b] = [step(still, still) / 0.19, step(bright, bright) / 0.19];
    expect(Math.abs(a - b)).toBeGreaterThan(1e-3);
    expectNear([step(still, bright)], [0.09 * a + 0.1 * b], { relative: 1e-9, absolute: 1e-9 });
  });
});

describe('the configuration of a teacher', () => {
  it('gives a ResNet-18 a representation of eight times its width, and says so', () => {
    expect(() =>
      configOf('teacher.architecture=resNet18', 'teacher.width=4', 'teacher.representation=8'),
    ).toThrow(/teacher\.representation = 8.* must be 8 · teacher\.width = 32/);
  });

  it('ends the warm-up with the training', () => {
    expect(() => configOf('teacher.warmUp=3')).toThrow(
      /teacher\.warmUp = 3.* must not exceed the teacher\.steps = 2/,
    );
  });
});
