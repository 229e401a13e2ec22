import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exitCodes.js';
import * as all from '../../src/errors.js';

const { EXIT_CODES, messageOf: _, ...errors } = all;

it('documents the exit code of every class of errors', () => {
  const codes = Object.values(errors).map((Class) => new Class('').exitCode);
  expect(codes.length).toBeGreaterThan(5);
  const documented = exitCodes.map(([code]) => code);
  expect(documented).toEqual(expect.arrayContaining(codes));
  expect(documented).toEqual(Object.values(EXIT_CODES));
});

it('has them in the README as in the help', () => {
  const rows = [...readFileSync('README.md', 'utf8').matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)];
  expect(rows.map(([, code, meaning]) => [Number(code), meaning])).toEqual(exitCodes);
});
