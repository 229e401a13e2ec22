import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../../../src/errors.js';
import { fieldPaths } from '../../../src/pipeline/config/layers.js';
import { describePreset, presetNames, resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { configSchema } from '../../../src/pipeline/config/schema.js';
import { evaluationRows } from '../../../src/pipeline/config/sections/evaluate.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('nothing was thrown');
}

const withSets = (...sets: string[]) => resolveConfig({ preset: 'mnist-small', sets });

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

describe('files that cannot be read', () => {
  it('names the file and line of a syntax error', () => {
    const path = file('syntax.yaml', 'seed: 1\ndata: { train: 5\nteacher: x\n');
    expect(messageOf(() => resolveConfig({ file: path, sets: [] }))).toContain(
      `${path}, line 3: not valid YAML`,
    );
  });

  it('names the file that may be meant, or the preset', () => {
    file('my.yaml', 'seed: 1\n');
    expect(messageOf(() => resolveConfig({ file: join(folder, 'my.ymal'), sets: [] }))).toContain(
      `does not exist. Did you mean ${join(folder, 'my.yaml')}?`,
    );
    expect(messageOf(() => resolveConfig({ file: 'tiny-test', sets: [] }))).toContain(
      'does not exist. Did you mean --preset tiny-test?',
    );
    expect(messageOf(() => resolveConfig({ file: 'no/such.yaml', sets: [] }))).not.toContain('Did you mean');
  });

  it('says that a file is missing or a folder', () => {
    const missing = join(folder, 'missing.yaml');
    expect(messageOf(() => resolveConfig({ file: missing, sets: [] }))).toContain(
      `${missing} does not exist`,
    );
    expect(messageOf(() => resolveConfig({ file: folder, sets: [] }))).toContain('is a folder');
  });

  it('refuses a file that is not a map, a group that is a value, and aliases without end', () => {
    expect(messageOf(() => resolveConfig({ file: file('list.yaml', '- 1\n'), sets: [] }))).toContain(
      'fields such as',
    );
    expect(messageOf(() => resolveConfig({ file: file('group.yaml', 'teacher:\n'), sets: [] }))).toMatch(
      /^teacher = null .* must be a group of fields \(architecture, depth, /,
    );
    expect(
      messageOf(() => resolveConfig({ file: file('preset2.yaml', 'preset: [1]\n'), sets: [] })),
    ).toContain("must be a preset's name");
    const levels = Array.from(
      { length: 9 },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`,
    );
    const bomb = file('bomb.yaml', `a0: &a0 [x,x,x]\n${levels.join('\n')}\n`);
    expect(messageOf(() => resolveConfig({ file: bomb, sets: [] }))).toContain(bomb);
  });
});

describe('texts of strangers', () => {
  const refusal = (text: string): string => {
    const path = file('hostile.yaml', text);
    const message = messageOf(() => resolveConfig({ file: path, sets: [] }));
    expect(message.length).toBeLessThan(600 + path.length);
    return message.replaceAll(path, 'FILE');
  };

  it.each<[string, string, RegExp]>([
    ['lists without end', '['.repeat(60_000), /nests more than 16 deep/],
    [
      'lists within lists, closed',
      `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      /nests more than 16 deep/,
    ],
    ['block lists without end', `${'- '.repeat(30_000)}a`, /nests more than 16 deep/],
    ['names of names', `${'? '.repeat(30_000)}a`, /nests more than 16 deep/],
    ['groups on one line', 'a:\n b: '.concat('ation: '.repeat(9000)), /nests more than 16 deep/],
    ['groups in flow', 'data: '.concat('{a: ['.repeat(9000)), /nests more than 16 deep/],
    [
      'a value within itself',
      'distil: &a\n  steps: *a\n',
      /FILE, line 2: an alias \(\*a\): write its value out/,
    ],
    ['a list within itself', 'evaluate: {labels: &a [*a]}', /an alias/],
    ['a name twice', 'seed: 1\nseed: 2\n', /FILE, line 2: seed is given twice/],
    [
      'a name twice, far inside',
      'distil:\n  innerStep: {learningRate: 1,\n    learningRate: 2}',
      /line 3: learningRate is given twice/,
    ],
    ['a merge key', 'data: {<<: {pool: 1}}', /no field data\.<</],
    ['a merge key of an older YAML', '%YAML 1.1\n---\ndata: {<<: {pool: 1}}', /no field data\.<</],
    ['a type of its own', 'data: !!omap [{pool: 1}]', /FILE, line 1: not valid YAML: Unresolved tag/],
    ['bytes in place of a text', 'data: {folder: !!binary aGVsbG8=}', /Unresolved tag/],
    ['code', 'seed: !!js/function "() => 1"', /Unresolved tag/],
    ['two documents', 'seed: 1\n---\nseed: 2', /FILE, line 2: not valid YAML/],
    ['a name that is a list', '? [a]\n: 1', /a name that is no text/],
    ['the prototype', '__proto__: {seed: 1}', /no field __proto__/],
    ['the prototype in a group', 'data: {__proto__: {pool: 1}}', /no field data\.__proto__/],
    ['the constructor', 'constructor: {prototype: {seed: 1}}', /no field constructor/],
    ['a number beyond all', 'distil: {outer: {}, steps: 1e999}', /distil\./],
    ['a long name', `${'a'.repeat(1000)}: 1`, /no field a{79}…/],
    ['thousands of faults in a list', `evaluate: {labels: [${'x,'.repeat(20_000)}]}`, /evaluate\.labels/],
    ['thousands of faults of syntax', '"'.repeat(60_000), /not valid YAML/],
    [
      'more than a configuration holds',
      `# ${'x'.repeat(65_536)}`,
      /holds more than 64 KiB, the most that is read/,
    ],
  ])('refuses %s at once', (_, text, message) => {
    const start = performance.now();
    expect(refusal(text)).toMatch(message);
    // A tenth of this on a machine at rest.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it.each(['__proto__.seed=1', 'constructor.prototype.seed=1', 'data.__proto__=1', `${'a'.repeat(1e5)}=1`])(
    'refuses --set %.40s',
    (setting) => {
      const message = messageOf(() => withSets(setting));
      expect(message).toMatch(/There is no field/);
      expect(message.length).toBeLessThan(300);
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );

  it('takes a setting that nests without end as the text it is', () => {
    expect(messageOf(() => withSets(`seed=${'['.repeat(50_000)}`))).toMatch(/^seed = "\[+…/);
  });

  it('refuses a preset that is a path', () => {
    expect(messageOf(() => resolveConfig({ preset: '../../etc/passwd', sets: [] }))).toMatch(/no preset/);
  });

  it.skipIf(process.platform !== 'linux')('does not read a device for ever', () => {
    expect(messageOf(() => resolveConfig({ file: '/dev/zero', sets: [] }))).toMatch(/holds more than 64 KiB/);
  });
});

describe('schema', () => {
  it('describes every field', () => {
    type Node = { description?: string; properties?: Record<string, Node> };
    const root = z.toJSONSchema(configSchema, { io: 'input' }) as Node;
    for (const path of fieldPaths) {
      let node: Node | undefined = root;
      for (const name of path.split('.')) node = node?.properties?.[name];
      expect(node?.description, path).toMatch(/\w/);
    }
    expect(fieldPaths).toContain('distil.innerStep.learningRate');
  });

  it('refuses unknown fields by itself', () => {
    expect(configSchema.safeParse({ student: { dept: 2 } }).error?.issues[0]?.message).toContain(
      'has no field dept (did you mean depth?); its fields are depth, width',
    );
  });

  it('gives each parse its own values', () => {
    configSchema.parse({}).teacher.augmentation.cropScale[0] = 0.1;
    expect(configSchema.parse({}).teacher.augmentation.cropScale).toEqual([0.6, 1]);
  });
});
