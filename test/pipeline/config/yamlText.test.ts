/** Files of configurations that cannot be read, by the way that all of them come. */
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { configFiles, withSets } from '../../support/configFiles.js';
import { messageOf } from '../../support/messageOf.js';

const { at, file } = configFiles();

describe('files that cannot be read', () => {
  it('names the file and line of a syntax error', () => {
    const path = file('syntax.yaml', 'seed: 1\ndata: { train: 5\nteacher: x\n');
    expect(messageOf(() => resolveConfig({ file: path, sets: [] }))).toContain(
      `${path}, line 3: not valid YAML`,
    );
  });

  it('names the file that may be meant, or the preset', () => {
    file('my.yaml', 'seed: 1\n');
    expect(messageOf(() => resolveConfig({ file: at('my.ymal'), sets: [] }))).toContain(
      `does not exist. Did you mean ${at('my.yaml')}?`,
    );
    expect(messageOf(() => resolveConfig({ file: 'tiny-test', sets: [] }))).toContain(
      'does not exist. Did you mean --preset tiny-test?',
    );
    expect(messageOf(() => resolveConfig({ file: 'no/such.yaml', sets: [] }))).not.toContain('Did you mean');
  });

  it('says that a file is missing or a folder', () => {
    const missing = at('missing.yaml');
    expect(messageOf(() => resolveConfig({ file: missing, sets: [] }))).toContain(
      `${missing} does not exist`,
    );
    expect(messageOf(() => resolveConfig({ file: at('.'), sets: [] }))).toContain('is a folder');
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

  it.skipIf(process.platform !== 'linux')('does not read a device for ever (Linux only: /dev/zero)', () => {
    expect(messageOf(() => resolveConfig({ file: '/dev/zero', sets: [] }))).toMatch(/holds more than 64 KiB/);
  });
});
