/**
 * Texts from files and folders as a terminal may be given them. A name can hold sequences that move the cursor, rename the
 * window or type for the user; what cannot be seen is shown by its number instead.
 */

/** All control characters but tab and line feed, and those that turn the direction of reading. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The text with every control character written out, as `\\u{1b}`. */
export const terminalText = (text: string): string =>
  text.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
