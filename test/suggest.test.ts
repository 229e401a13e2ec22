import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../src/suggest.js';

describe('nearest', () => {
  it('prefers the whole name, then the ending', () => {
    expect(nearest('seeds', ['seed', 'evaluate.seeds'])).toBe('evaluate.seeds');
    expect(nearest('sed', ['evaluate.seeds', 'seed'])).toBe('seed');
    expect(nearest('x', [])).toBeUndefined();
  });

  it.each([
    ['recmopute', ['full', 'recompute', 'mixed'], 'recompute'],
    ['FULL', ['full', 'mixed'], 'full'],
    ['mnist', ['cifar10-small', 'mnist-small'], 'mnist-small'],
    ['pgn', ['safetensors', 'npz', 'png'], 'png'],
  ])('finds what %s may be meant for, whatever its case, its order or its end', (word, names, found) => {
    expect(nearest(word, names)).toBe(found);
  });

  it('finds nothing where nothing is like the word', () => {
    expect(nearest('svhn', ['mnist', 'cifar10', 'idx', 'folder'])).toBeUndefined();
    expect(nearest('gpu', ['auto', 'hardware', 'software', 'bundled'])).toBeUndefined();
    expect(nearest('', ['full'])).toBeUndefined();
  });

  it('takes no longer for a word without end', () => {
    const start = performance.now();
    expect(nearest('a'.repeat(1_000_000), ['distil.steps'])).toBeUndefined();
    // A thousandth of this on a machine at rest.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

it('is a sentence to be put behind another, or nothing', () => {
  expect(`No.${didYouMean('distill', ['distil'])}`).toBe('No. Did you mean distil?');
  expect(`No.${didYouMean('zzz', ['distil'])}`).toBe('No.');
});
