import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { describePreset, presetNames, resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { configSchema } from '../../../src/pipeline/config/schema.js';
import { evaluationRows } from '../../../src/pipeline/config/sections/evaluate.js';
import { configFiles, withSets } from '../../support/configFiles.js';
import { messageOf } from '../../support/messageOf.js';

const { file } = configFiles();

describe('presets', () => {
  it('has mnist-small equal to the defaults', () => {
    expect(resolveConfig({ preset: 'mnist-small', sets: [] })).toEqual(configSchema.parse({}));
  });

  it.each(presetNames)('%s resolves, and is described by its first line', (name) => {
    expect(resolveConfig({ preset: name, sets: [] }).seed).toBe(1);
    expect(describePreset(name)).toMatch(/^\w.*\.$/);
  });

  it.each(presetNames)('%s resolves with every row of the evaluation', (name) => {
    const sets = [`evaluate.rows=[${evaluationRows.join(', ')}]`];
    expect(resolveConfig({ preset: name, sets }).evaluate.rows).toEqual(evaluationRows);
  });

  it('gives cifar10-small its own values over the defaults', () => {
    const config = resolveConfig({ preset: 'cifar10-small', sets: [] });
    expect(config.data).toMatchObject({ source: 'cifar10', folder: null, train: 5000, test: 2000, pool: 2 });
    expect(config.teacher.augmentation).toMatchObject({ flip: true, rotation: 0, cropScale: [0.3, 1] });
  });

  it('names the nearest and all presets for an unknown one', () => {
    expect(messageOf(() => resolveConfig({ preset: 'mnist-smal', sets: [] }))).toBe(
      `There is no preset "mnist-smal". Did you mean mnist-small? Presets: ${presetNames.join(', ')}.`,
    );
    expect(() => describePreset('__proto__')).toThrow(ConfigError);
  });
});

describe('order of sources', () => {
  it('lays file over preset, --seed and --data over the file, and --set over all', () => {
    const path = file(
      'order.yaml',
      'seed: 2\ndata: { folder: a, test: 100 }\ndistil:\n  iterations: 7\n  steps: 8\n',
    );
    const config = resolveConfig({
      preset: 'tiny-test',
      file: path,
      seed: 3,
      dataFolder: 'b',
      sets: ['distil.steps=9', 'data.folder=c'],
    });
    expect(config.seed).toBe(3);
    expect(config.data).toMatchObject({ source: 'mnist', folder: 'c', train: 200, test: 100, pool: 4 });
    expect(config.distil).toMatchObject({ iterations: 7, steps: 9, batch: 5 });
  });

  it('takes the preset that a file names, unless another is given', () => {
    const path = file('preset.yaml', 'preset: tiny-test\nseed: 5\n');
    expect(resolveConfig({ file: path, sets: [] })).toMatchObject({ seed: 5, data: { train: 200 } });
    expect(resolveConfig({ preset: 'mnist-small', file: path, sets: [] })).toMatchObject({
      seed: 5,
      data: { train: 2000 },
    });
  });

  it('reads JSON, with tabs too, and an empty file', () => {
    const json = file('run.json', '{\n\t"data": {\n\t\t"train": null\n\t},\n\t"seed": 4\n}\n');
    expect(resolveConfig({ file: json, sets: [] })).toMatchObject({
      seed: 4,
      data: { train: null, test: 2000 },
    });
    expect(resolveConfig({ file: file('empty.yaml', '# nothing\n'), sets: [] })).toEqual(
      configSchema.parse({}),
    );
  });

  it('reads lists, null, exponents and texts with a colon from --set', () => {
    const config = withSets(
      'teacher.augmentation.cropScale=[0.5, 1]',
      'data.train=null',
      'experts.weightDecay=1e-3',
      'data.folder=a: b',
    );
    expect(config.teacher.augmentation.cropScale).toEqual([0.5, 1]);
    expect(config.data).toMatchObject({ train: null, folder: 'a: b' });
    expect(config.experts.weightDecay).toBe(1e-3);
  });
});

describe('what does not fit', () => {
  it('names the path, the value, its source and what fits', () => {
    expect(messageOf(() => withSets('distil.steps=-3'))).toBe(
      'distil.steps = -3 (--set) must be a whole number from 1 to 100000.',
    );
    const path = file('range.yaml', 'seed: 1\nsubset:\n  fraction: 1.5\n');
    expect(messageOf(() => resolveConfig({ file: path, sets: [] }))).toBe(
      `subset.fraction = 1.5 (${path}, line 3) must be a number above 0, at most 1.`,
    );
  });

  it.each([
    ['subset.fraction=0', 'above 0'],
    ['experts.momentum=1', 'not including, 1'],
    ['teacher.batch=1.5', 'whole number'],
    ['seed=one', 'whole number'],
    ['distil.innerStep.initial=.inf', 'above 0'],
    ['teacher.augmentation.flip=1', 'true or false'],
    ['teacher.augmentation.cropScale=[0.9, 0.5]', 'smallest ≤ largest'],
    ['teacher.augmentation.cropScale=[0.9]', 'two numbers'],
    ['data.source=svhn', 'mnist, cifar10, cifar100, tiny-imagenet, idx or folder'],
    ['evaluate.labels=[]', 'at least one'],
    ['evaluate.labels=[0.1, 0.1]', 'once'],
  ])('refuses %s', (setting, fits) => {
    const message = messageOf(() => withSets(setting));
    expect(message.startsWith(`${setting.split('=')[0]}`)).toBe(true);
    expect(message).toContain(fits);
  });

  it.each([
    ['distil.expertEpochs', ['distil.expertEpochs=7'], '11 within experts.epochs = 10'],
    ['data.pool', ['data.pool=3'], '28 pixels'],
    ['student.depth', ['student.depth=4'], 'at most 3 for images of 14×14'],
    ['experts.batch', ['data.train=50', 'teacher.batch=50', 'subset.fraction=1'], '50 training images'],
    ['distil.batch', ['subset.fraction=0.005', 'evaluate.batch=10'], '10 synthetic images'],
    ['evaluate.batch', ['subset.fraction=0.01'], '20 synthetic images'],
    ['evaluate.labels', ['evaluate.labels=[0.0001]'], '0.0001 of 2000 is none'],
  ])('checks %s against other fields', (path, sets, reason) => {
    const message = messageOf(() => withSets(...sets));
    expect(message).toMatch(new RegExp(`^${path} = `));
    expect(message).toContain(reason);
  });

  it('refuses a value in place of a group even where a later source replaces it', () => {
    const path = file('replaced.yaml', 'data: 5\n');
    expect(messageOf(() => resolveConfig({ file: path, sets: ['data.pool=1'] }))).toBe(
      `data = 5 (${path}, line 1) must be a group of fields (source, folder, train, test, pool, resize, channels, holdOut, memory).`,
    );
  });

  it('refuses a --seed that is not a number', () => {
    expect(messageOf(() => resolveConfig({ seed: Number.NaN, sets: [] }))).toContain(
      'seed = NaN (--seed) must be',
    );
  });

  it('takes expert epochs that just fit', () => {
    expect(withSets('distil.expertEpochs=6').distil.expertEpochs).toBe(6);
  });

  it.each([
    ['distil.memory=recmopute', 'must be recompute, full or mixed. Did you mean recompute?'],
    ['data.source=minst', 'Did you mean mnist?'],
    ['evaluate.rows=[mkdt, techer]', 'Did you mean teacher?'],
    ['evaluate.transfer=[{ architecture: mpl }]', 'Did you mean mlp?'],
    ['evaluate.transfer=[{ architecture: mlp, widht: 3 }]', 'has no field widht (did you mean width?)'],
  ])('names the choice that is like the word in %s', (setting, meant) => {
    expect(messageOf(() => withSets(setting))).toContain(meant);
  });

  it('names a preset that a file misspells, with its line and the one that is like it', () => {
    const path = file('misspelt.yaml', '# mine\npreset: tiny-tset\n');
    expect(messageOf(() => resolveConfig({ file: path, sets: [] }))).toContain(
      `There is no preset "tiny-tset" (${path}, line 2). Did you mean tiny-test? Presets: `,
    );
  });

  it('says what there is where nothing is like a field', () => {
    expect(messageOf(() => withSets('zzzzzz=3'))).toBe(
      `There is no field zzzzzz (--set). There are ${Object.keys(configSchema.parse({})).join(', ')}.`,
    );
    expect(messageOf(() => withSets('data.zzzzzz=3'))).toContain('The fields of data are source, folder,');
  });

  it('names the nearest path for one that does not exist', () => {
    expect(messageOf(() => withSets('distil.iteratons=3'))).toBe(
      'There is no field distil.iteratons (--set). Did you mean distil.iterations?',
    );
    expect(messageOf(() => withSets('iterations=3'))).toContain('Did you mean distil.iterations?');
    const path = file('unknown.yaml', 'seed: 1\nteacher:\n  widht: 3\n');
    expect(messageOf(() => resolveConfig({ file: path, sets: [] }))).toBe(
      `There is no field teacher.widht (${path}, line 3). Did you mean teacher.width?`,
    );
  });

  it('lists the fields of a group that --set names', () => {
    expect(messageOf(() => withSets('distil.innerStep=1'))).toContain(
      'distil.innerStep.initial, distil.innerStep.optimiser, distil.innerStep.learningRate',
    );
  });

  it.each(['distil.steps', '=3', 'distil.steps='])('refuses --set %s without a field or value', (setting) => {
    expect(messageOf(() => withSets(setting))).toContain('needs a field and a value');
  });

  it.each(['__proto__.polluted=1', 'constructor.prototype.polluted=1', 'data.__proto__.polluted=1'])(
    'refuses the prototype path %s',
    (setting) => {
      expect(messageOf(() => withSets(setting))).toContain('There is no field');
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    },
  );

  it.each([
    '__proto__:\n  polluted: 1\n',
    'data:\n  __proto__: { polluted: 1 }\n',
    'data: { train: { __proto__: { polluted: 1 } } }\n',
  ])('refuses prototype keys in a file', (text) => {
    const path = file('prototype.yaml', text);
    expect(() => resolveConfig({ file: path, sets: [] })).toThrow(ConfigError);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
