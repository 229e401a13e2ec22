/** JSON from anybody: no name twice in an object, and no deeper than a program of ours would write it. */

/** Lists and objects within one another. Ours have a few; a million would exhaust the stack of whoever walks them. */
const DEEPEST = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const isOpening = (code: number): boolean => code === 0x5b || code === 0x7b;
const isClosing = (code: number): boolean => code === 0x5d || code === 0x7d;

/** The colons outside texts, one a name, and how deep the text nests. */
function survey(text: string): { readonly names: number; readonly depth: number } {
  let names = 0;
  let level = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      for (at += 1; at < text.length && text.charCodeAt(at) !== QUOTE; at += 1) {
        if (text.charCodeAt(at) === BACKSLASH) at += 1;
      }
    } else if (code === COLON) names += 1;
    else if (isOpening(code)) {
      level += 1;
      if (level > depth) depth = level;
    } else if (isClosing(code)) level -= 1;
  }
  return { names, depth };
}

function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + countNames(each), 0);
  let count = 0;
  for (const inner of Object.values(value)) count += 1 + countNames(inner);
  return count;
}

/**
 * What a text in JSON says.
 *
 * @throws SyntaxError where it is not JSON, nests more than 32 deep, or has an object with a name twice: readers differ in
 * which of the two counts.
 */
export function parseJson(text: string): unknown {
  const { names, depth } = survey(text);
  if (depth > DEEPEST) throw new SyntaxError(`it nests more than ${DEEPEST} deep`);
  const value: unknown = JSON.parse(text);
  if (countNames(value) !== names) throw new SyntaxError('it has a name twice in one object');
  return value;
}
