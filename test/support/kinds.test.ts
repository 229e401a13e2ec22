import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kindOf, kinds, testFilesOf } from './kinds.js';

it('sorts tests by what they need, and has some of each kind', () => {
  for (const kind of kinds) expect(testFilesOf(kind).length, kind).toBeGreaterThan(0);
  expect(testFilesOf('unit')).toContain('test/autograd/gradient.test.ts');
  expect(testFilesOf('golden')).toContain('test/pipeline/verify/verify.test.ts');
  expect(testFilesOf('browser')).toContain('test/web/page.test.ts');
  expect(testFilesOf('runs')).toEqual(
    expect.arrayContaining([
      'test/pipeline/run.test.ts',
      'test/pipeline/kills.test.ts',
      'test/cli/command.test.ts',
      'test/pipeline/soak.test.ts',
      'test/pipeline/stages/teacher.test.ts',
    ]),
  );
  expect(testFilesOf('unit')).toEqual(
    expect.arrayContaining(['test/nn/probe.test.ts', 'test/pipeline/store/safetensors.test.ts']),
  );
  expect(kindOf('test/nn/made.test.ts', "import { a } from '../../src/nn/a.js';")).toBe('unit');
});

it('has a script for each kind', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const kind of kinds) expect(scripts[`test:${kind}`]).toBe(`vitest run --mode ${kind}`);
});
