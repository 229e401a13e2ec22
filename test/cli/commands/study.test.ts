import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeStudy } from '../../../src/cli/commands/study.js';
import { ConfigError } from '../../../src/errors.js';
import { refusal, said } from '../../support/command.js';

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-study-command-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

describe('hypergrad study', () => {
  it('measures, leaves numbers and page, and says where and how it is done again', async () => {
    const out = join(scratch, 'made');
    const own = ['--batches', '3', '--batch-sizes', '4', '--trajectories', '3', '--epochs', '1'];
    const text = await said('study', 'variance', '--preset', 'tiny-test', ...own, '--out', out);
    expect(text).toContain(`Page: ${join(out, 'study.html')}`);
    const record = JSON.parse(readFileSync(join(out, 'study.json'), 'utf8')) as unknown;
    expect(record).toMatchObject({
      ...{ version: 1, study: 'variance', dataset: 'mnist', seed: 1 },
      settings: { batches: 3, batchSizes: [4], trajectories: 3, epochs: 1 },
    });
    const page = readFileSync(join(out, 'study.html'), 'utf8');
    expect(page).toContain(`hypergrad study variance --preset tiny-test ${own.join(' ')}`);
  });

  it.each([
    [['variance', '--batches', 'many'], /^--batches "many" must be a whole number of at least 3\.$/],
    [
      ['variance', '--preset', 'tiny-test', '--batches', '2'],
      /^--batches "2" must be a whole number of at least 3\.$/,
    ],
    [
      ['variance', '--preset', 'tiny-test', '--batch-sizes', '4,101'],
      /^--batch-sizes 101 must be at most half of the 200 training images/,
    ],
    [
      ['horizon', '--run', 'runs/a', '--preset', 'tiny-test'],
      /^--run runs\/a brings its own configuration; leave out --preset\.$/,
    ],
  ])('refuses %j', async (words, message) => {
    const error = await refusal('study', ...words);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(message);
  });
});

it('describes a study as aligned tables with what they say, and its findings', () => {
  const text = describeStudy({
    tables: [
      {
        title: 'Widths',
        caption: 'Of three.',
        head: ['loss', 'width'],
        body: [
          ['one', '1.5'],
          ['another', '12'],
        ],
      },
    ],
    findings: ['The first is\u00a0narrow.'],
  });
  expect(text).toBe(
    'Widths\nloss     width\none        1.5\nanother     12\nOf three.\n\nThe first is narrow.',
  );
});
