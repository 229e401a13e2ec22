/**
 * Texts from files and folders as a terminal may be given them. A name can hold sequences that move the cursor, rename the
 * window or type for the user; what cannot be seen is shown by its number instead.
 */
import { Help } from 'commander';

/** All control characters but tab and line feed, and those that turn the direction of reading. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The text with every control character written out, as `\\u{1b}`. */
export const terminalText = (text: string): string =>
  text.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);

/**
 * Prose broken at its spaces to lines of a terminal, which would break it within a word. A table's lines, whose cells stand more than
 * a space apart, stay as they are.
 *
 * @param columns characters of a line
 */
export function wrapProse(text: string, columns: number): string {
  const helper = new Help();
  return text
    .split('\n')
    .map((line) => {
      // What follows a bullet or a first word set apart stays under what it follows with.
      const [start] = /^ *(?:- |\S+ {2,})?/.exec(line)!;
      const words = line.slice(start.length);
      if (line.length <= columns || words.includes('  ')) return line;
      return (
        start +
        helper.boxWrap(words, columns - start.length).replaceAll('\n', `\n${' '.repeat(start.length)}`)
      );
    })
    .join('\n');
}
