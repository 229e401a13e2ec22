/** Ways to damage a file: by chance, and where it hurts. */
import type { Draws } from './draws.js';

/** No mutation makes a file longer; length fields may claim anything. */
const LONGEST = 2 ** 17;

const NUMBERS = [
  ...['0', '-0', '1', '-1', '127', '128', '255', '256', '65535', '65536', '2147483647', '2147483648'],
  ...['4294967295', '4294967296', '9007199254740991', '9007199254740992', '18446744073709551616'],
  ...[
    '1e308',
    '1e999',
    '-1e999',
    '1e-400',
    '0.1',
    'NaN',
    '.nan',
    '.inf',
    '0x7fffffff',
    '9'.repeat(400),
    'null',
  ],
];

const WORDS = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    '__metadata__',
    '<<',
    '../../../etc/passwd',
    '/dev/zero',
  ],
  ...[
    '\0',
    '\u202e',
    '\u001b[2J',
    '\ud83d',
    '\n',
    '\r\n',
    '\t',
    ' ',
    '"',
    "'",
    '\\',
    '\\u0000',
    ':',
    ',',
    ',,',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
    '{"a":',
    '- ',
    '? ',
    '&a ',
    '*a',
    '!!x ',
  ],
  ...[
    '!!binary ',
    '%YAML 1.1\n---\n',
    '---\n',
    '...\n',
    '|\n',
    '>-\n',
    '# ',
    'true',
    'False',
    '<script>',
    '$&',
  ],
];

type Mutation = (bytes: Uint8Array, draws: Draws) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** A stretch of the file: its beginning and end. */
function stretch(bytes: Uint8Array, draws: Draws): [start: number, end: number] {
  const start = draws.below(bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + draws.size(bytes.length - start))];
}

const flipBits: Mutation = (bytes, draws) => {
  const result = bytes.slice();
  for (let flips = 1 + draws.below(8); flips > 0 && result.length > 0; flips -= 1) {
    result[draws.below(result.length)]! ^= 1 << draws.below(8);
  }
  return result;
};

const cut: Mutation = (bytes, draws) => bytes.slice(0, draws.below(bytes.length + 1));

const lengthen: Mutation = (bytes, draws) => joined(bytes, draws.bytes(1 + draws.size(200)));

const remove: Mutation = (bytes, draws) => {
  const [start, end] = stretch(bytes, draws);
  return joined(bytes.subarray(0, start), bytes.subarray(end));
};

const splice: Mutation = (bytes, draws) => {
  const [start, end] = stretch(bytes, draws);
  const at = draws.below(bytes.length + 1);
  return joined(
    bytes.subarray(0, at),
    bytes.subarray(start, end),
    bytes.subarray(at + draws.below(2) * (end - start)),
  );
};

const repeat: Mutation = (bytes, draws) => {
  const [start, end] = stretch(bytes, draws);
  const times = Math.min(2 ** draws.below(12), Math.floor(LONGEST / Math.max(1, end - start)));
  const parts = Array.from({ length: times }, () => bytes.subarray(start, end));
  return joined(bytes.subarray(0, start), ...parts, bytes.subarray(end));
};

const blank: Mutation = (bytes, draws) => {
  const [start, end] = stretch(bytes, draws);
  return bytes.slice().fill(draws.pick([0, 0x20, 0x30, 0xff]), start, end);
};

/** Lengths lie near the beginning; 2, 4 or 8 bytes, in either order. */
const editLength: Mutation = (bytes, draws) => {
  const size = draws.pick([2, 4, 8]);
  if (bytes.length < size) return bytes;
  const result = bytes.slice();
  const at = draws.below(Math.min(bytes.length - size + 1, draws.happens(0.7) ? 32 : LONGEST));
  const value = BigInt.asUintN(64, (1n << BigInt(draws.below(65))) + BigInt(draws.below(3) - 1));
  const view = new DataView(result.buffer);
  const isLittle = draws.happens(0.5);
  if (size === 2) view.setUint16(at, Number(value & 0xffffn), isLittle);
  else if (size === 4) view.setUint32(at, Number(value & 0xffff_ffffn), isLittle);
  else view.setBigUint64(at, value, isLittle);
  return result;
};

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Puts another number in the place of one that is written in digits. */
const editNumber: Mutation = (bytes, draws) => {
  const from = draws.below(bytes.length + 1);
  let start = from;
  while (start < bytes.length && !isDigit(bytes[start])) start += 1;
  let end = start;
  while (isDigit(bytes[end])) end += 1;
  return joined(bytes.subarray(0, start), encode(draws.pick(NUMBERS)), bytes.subarray(end));
};

const insertWord: Mutation = (bytes, draws) => {
  const at = draws.below(bytes.length + 1);
  return joined(bytes.subarray(0, at), encode(draws.pick(WORDS)), bytes.subarray(at + draws.size(12)));
};

const MUTATIONS: readonly Mutation[] = [
  ...[flipBits, cut, lengthen, remove, splice, repeat, blank, editLength, editNumber, insertWord],
];

/** The file as it is, damaged once or a few times, or noise in its place. */
export function mutate(bytes: Uint8Array, draws: Draws): Uint8Array {
  if (draws.happens(0.1)) return bytes;
  if (draws.happens(0.03)) return draws.bytes(draws.size(600));
  let result = bytes;
  for (let times = 1 + draws.size(4); times > 0; times -= 1) {
    result = draws.pick(MUTATIONS)(result, draws).subarray(0, LONGEST);
  }
  return result;
}
