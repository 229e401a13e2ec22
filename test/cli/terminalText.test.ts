import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/cli/errors.js';
import { terminalText } from '../../src/cli/terminalText.js';
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
