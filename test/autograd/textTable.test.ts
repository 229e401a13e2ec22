import { expect, it } from 'vitest';
import { textTable, textTableWithin } from '../../src/autograd/textTable.js';

const rows = [
  ['name', 'one', 'two', 'three'],
  ['a', '1', '22', '3.33'],
];
const aligns = ['left', 'right', 'right', 'right'] as const;

it('has columns as wide as their widest cells', () => {
  expect(textTable(rows, aligns)).toBe('name  one  two  three\na       1   22   3.33');
});

it('comes in parts where it is wider than a line, each with the first column', () => {
  expect(textTableWithin(rows, aligns, 21)).toBe(textTable(rows, aligns));
  expect(textTableWithin(rows, aligns, 20)).toBe(
    'name  one  two\na       1   22\n\nname  three\na      3.33',
  );
  expect(textTableWithin(rows, aligns, 1).split('\n\n')).toHaveLength(3);
  expect(textTableWithin([['name'], ['a']], ['left'], 1)).toBe('name\na');
});
