/**
 * Turns a kernel file into WGSL for one launch. `#if ${…}` is the work of `wgsl-preprocessor`; this file
 * parses a .wgsl text into the strings and values that its template tag takes, and unrolls
 * `#repeat name COUNT … #endrepeat`, because software devices keep an indexed array in memory but a
 * numbered variable in a register.
 *
 * `${…}` holds integers, names of definitions and of enclosing repeats, `+ - * / %`, comparisons,
 * `&&`, `||`, `!` and parentheses, or the name of a text definition.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/** What a kernel file is specialised with. Numbers and booleans may be calculated with; text is inserted. */
export type Definitions = Readonly<Record<string, number | boolean | string>>;

const tokenPattern = /\s*(\d+|[A-Za-z_]\w*|&&|\|\||[<>=!]=|[-+*/%()<>!])/y;

const binaryLevels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

function tokenize(expression: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  const end = expression.trimEnd().length;
  while (tokenPattern.lastIndex < end) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(expression);
    if (match === null)
      throw new Error(`kernel template: cannot read '${expression.slice(at)}' in '${expression}'`);
    tokens.push(match[1]!);
  }
  return tokens;
}

function applyBinary(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return Math.trunc(left / right);
    case '%':
      return left % right;
    case '<':
      return Number(left < right);
    case '>':
      return Number(left > right);
    case '<=':
      return Number(left <= right);
    case '>=':
      return Number(left >= right);
    case '==':
      return Number(left === right);
    case '!=':
      return Number(left !== right);
    case '&&':
      return Number(left !== 0 && right !== 0);
    default:
      return Number(left !== 0 || right !== 0);
  }
}

function evaluate(expression: string, definitions: Definitions): number | string {
  const tokens = tokenize(expression);
  let position = 0;

  const lookUp = (name: string): number | string => {
    const value = definitions[name];
    if (value === undefined) throw new Error(`kernel template: '${name}' is not defined in '${expression}'`);
    return typeof value === 'boolean' ? Number(value) : value;
  };
  const parsePrimary = (): number => {
    const token = tokens[position++];
    if (token === '(') {
      const value = parseLevel(0);
      if (tokens[position++] !== ')') throw new Error(`kernel template: ')' expected in '${expression}'`);
      return value;
    }
    if (token === '-') return -parsePrimary();
    if (token === '!') return Number(parsePrimary() === 0);
    if (token === undefined) throw new Error(`kernel template: '${expression}' ends too early`);
    if (/^\d/.test(token)) return Number(token);
    const value = lookUp(token);
    if (typeof value === 'string')
      throw new Error(`kernel template: text '${token}' in a calculation: '${expression}'`);
    return value;
  };
  const parseLevel = (level: number): number => {
    if (level === binaryLevels.length) return parsePrimary();
    let left = parseLevel(level + 1);
    while (binaryLevels[level]!.includes(tokens[position] ?? '')) {
      const operator = tokens[position++]!;
      left = applyBinary(operator, left, parseLevel(level + 1));
    }
    return left;
  };

  if (tokens.length === 1 && /^[A-Za-z_]/.test(tokens[0]!)) return lookUp(tokens[0]!);
  const value = parseLevel(0);
  if (position !== tokens.length)
    throw new Error(`kernel template: '${tokens[position]}' is unexpected in '${expression}'`);
  return value;
}

const repeatStart = /^[ \t]*#repeat[ \t]+(\w+)[ \t]+(.+)$/;
const repeatEnd = /^[ \t]*#endrepeat[ \t]*$/;

/** Unrolls every `#repeat`; inside, the repeat's name stands for the number of the round, from 0. */
function unrollRepeats(
  lines: readonly string[],
  definitions: Definitions,
): { line: string; definitions: Definitions }[] {
  const result: { line: string; definitions: Definitions }[] = [];
  for (let index = 0; index < lines.length; index++) {
    const start = repeatStart.exec(lines[index]!);
    if (start === null) {
      result.push({ line: lines[index]!, definitions });
      continue;
    }
    let depth = 1;
    let end = index + 1;
    for (; end < lines.length; end++) {
      if (repeatStart.test(lines[end]!)) depth++;
      else if (repeatEnd.test(lines[end]!) && --depth === 0) break;
    }
    if (depth !== 0) throw new Error(`kernel template: #repeat ${start[1]} has no #endrepeat`);
    const count = Number(evaluate(start[2]!, definitions));
    for (let round = 0; round < count; round++) {
      result.push(...unrollRepeats(lines.slice(index + 1, end), { ...definitions, [start[1]!]: round }));
    }
    index = end;
  }
  return result;
}

/**
 * The WGSL text of a kernel file under the given definitions. Lines that hold only a comment are left out.
 *
 * @throws Error when the file names something that is not defined, or a directive is not closed.
 */
export function expandKernel(source: string, definitions: Definitions): string {
  const strings: string[] = [''];
  const values: (number | string)[] = [];
  const lines = source.split('\n').filter((line) => !/^\s*\/\//.test(line));
  for (const { line, definitions: scope } of unrollRepeats(lines, definitions)) {
    let last = 0;
    for (const match of line.matchAll(/\$\{([^}]*)\}/g)) {
      strings[strings.length - 1] += line.slice(last, match.index);
      values.push(evaluate(match[1]!, scope));
      strings.push('');
      last = match.index + match[0].length;
    }
    strings[strings.length - 1] += `${line.slice(last)}\n`;
  }
  const template = Object.assign(strings, { raw: strings }) as unknown as TemplateStringsArray;
  return wgsl(template, ...values).replace(/\n\s*\n+/g, '\n');
}
