import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import {
  decodeEvaluation,
  type Evaluation,
  encodeEvaluation,
  evaluationOf,
  hasSeeds,
} from '../../../src/pipeline/evaluate/record.js';

const table = {
  rows: [{ name: 'MKDT', labels: 0.01, accuracies: [0.5, 0.25] }],
  heldOut: [{ name: 'MKDT', errors: [0.1, 0.2] }],
};

describe('evaluation.json', () => {
  it('reads back what it holds', () => {
    const evaluation: Evaluation = evaluationOf(table, [
      { student: { architecture: 'mlp', depth: 1, width: 3 }, ...table },
      { student: { architecture: 'resNet18', width: 4 }, ...table },
    ]);
    expect(decodeEvaluation(encodeEvaluation(evaluation), 'x')).toEqual(evaluation);
  });

  it('has a number of seeds in every row, of other architectures too', () => {
    const student = { architecture: 'resNet18', width: 4 } as const;
    const longer = { ...table, heldOut: [{ name: 'MKDT', errors: [0.1, 0.2, 0.3] }] };
    expect(hasSeeds(evaluationOf(table, [{ student, ...table }]), 2)).toBe(true);
    expect(hasSeeds(evaluationOf(table, [{ student, ...longer }]), 2)).toBe(false);
    expect(hasSeeds(evaluationOf(longer, []), 2)).toBe(false);
  });

  it('refuses the version before, and says that evaluating anew is all it takes', () => {
    const old = JSON.stringify({ version: 1, ...table });
    expect(() => decodeEvaluation(old, 'runs/a/evaluation.json')).toThrow(StoreError);
    expect(() => decodeEvaluation(old, 'runs/a/evaluation.json')).toThrow(
      /^runs\/a\/evaluation\.json is of version 1, and this program reads version 2\. Give the run's command again/,
    );
  });

  it('refuses a newer version, and says which program reads it', () => {
    const newer = JSON.stringify({ version: 3, ...table });
    expect(() => decodeEvaluation(newer, 'x')).toThrow(/^x is of version 3, written by a newer hypergrad/);
  });

  it.each([['{'], ['[]'], ['null'], ['{"version":2,"rows":[{"name":"MKDT"}]}']])(
    'refuses what is damaged: %s',
    (text) => {
      expect(() => decodeEvaluation(text, 'x')).toThrow(/^x is damaged/);
    },
  );

  const row = (accuracies: unknown) =>
    JSON.stringify({
      version: 2,
      rows: [{ name: 'MKDT', labels: 1, accuracies }],
      heldOut: [],
      transfer: [],
    });
  it.each<[string, string]>([
    ['rows without numbers', row([])],
    ['numbers that are texts', row(Array(1e6).fill('x'))],
    ['numbers beyond a float', row([0]).replace('[0]', '[1e999]')],
    [
      'more rows than are read',
      JSON.stringify({ version: 2, rows: Array(1e6).fill(0), heldOut: [], transfer: [] }),
    ],
    ['a name twice', row([0.5]).replace('"heldOut"', '"rows":[],"heldOut"')],
    ['lists without end', '['.repeat(1e6)],
  ])('refuses %s in a message that can be read', (_, text) => {
    expect(() => decodeEvaluation(text, 'x')).toThrow(/^x is damaged.{1,100}$/);
  });
});
