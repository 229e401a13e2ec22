import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/cli/errors.js';
import { terminalText, wrapProse } from '../../src/cli/terminalText.js';
import { DataError } from '../../src/errors.js';

describe('terminalText', () => {
  it('leaves words, lines and columns as they are', () => {
    const text = 'größer\n\t82.5 ± 0.9 % – 猫 🙂';
    expect(terminalText(text)).toBe(text);
  });

  it('shows what a terminal would obey, and what turns the direction of reading', () => {
    expect(terminalText('\u001b]0;x\u0007\u001b[2J\r\u009b\u007f\u202egnp.exe')).toBe(
      '\\u{1b}]0;x\\u{7}\\u{1b}[2J\\u{d}\\u{9b}\\u{7f}\\u{202e}gnp.exe',
    );
  });

  it('stands between every error and the terminal', () => {
    const { text } = describeFailure(new DataError('The folder \u001b[31mred does not exist.'), true);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('\\u{1b}[31mred');
  });
});

describe('wrapProse', () => {
  it('breaks a sentence between its words, and keeps what follows under its beginning', () => {
    expect(wrapProse('one two three four five six seven eight nine ten eleven', 45)).toBe(
      'one two three four five six seven eight nine\nten eleven',
    );
    expect(wrapProse('  - one two three four five six seven eight nine ten', 46)).toBe(
      '  - one two three four five six seven eight\n    nine ten',
    );
    expect(wrapProse('classes   3: one two three four five six seven eight nine ten', 54)).toBe(
      'classes   3: one two three four five six seven eight\n          nine ten',
    );
  });

  it('leaves tables, short lines and words without a space', () => {
    const text = `encoder  ${'1.0 ± 0.5  '.repeat(9)}\nshort\n${'x'.repeat(90)}`;
    expect(wrapProse(text, 80)).toBe(text);
  });
});
