/**
 * NumPy's .npy format: `\x93NUMPY`, two bytes of version, a little-endian header length (2 bytes in version 1, 4 in 2 and 3),
 * a header that is a Python dictionary of `descr`, `fortran_order` and `shape`, and the array's bytes. Only what is needed
 * for tables of floating-point numbers is read; nothing in the header is executed.
 */
import { DataError } from '../../errors.js';
import { type FloatFormat, floatBytes, readFloats } from './floats.js';
import { shown, shownShape } from './shownText.js';

/** An array of floating-point numbers, read as float32. */
export interface NpyArray {
  /** Its extents, outermost first. */
  readonly shape: readonly number[];
  /** Its elements in row-major order. */
  readonly data: Float32Array;
}

/** How every file of the format begins. */
export const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
/** Bytes of magic and version. */
const VERSION_END = 8;
/** Bytes that a header may hold, as NumPy itself reads them. A plain array's has about a hundred. */
const LARGEST_HEADER = 10_000;
/** Dimensions that an array may have, as in NumPy. */
const MOST_DIMENSIONS = 64;

const formats: Readonly<Record<string, FloatFormat>> = { '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' };

/** The header's text and where the data starts. */
function readHeader(bytes: Uint8Array, fileName: string): { header: string; start: number } {
  if (bytes.length < VERSION_END || MAGIC.some((byte, k) => bytes[k] !== byte)) {
    throw new DataError(`${fileName} is not a .npy file: it does not begin as NumPy writes them.`);
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) {
    throw new DataError(`${fileName} is a .npy file of version ${version}; versions 1 to 3 are read.`);
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const begin = VERSION_END + lengthBytes;
  if (bytes.length < begin) throw new DataError(`${fileName}: the header is cut short.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(VERSION_END, true) : view.getUint32(VERSION_END, true);
  if (length > bytes.length - begin) {
    throw new DataError(
      `${fileName}: the header is said to hold ${length} bytes, and ${bytes.length - begin} follow. The file is cut short or damaged.`,
    );
  }
  if (length > LARGEST_HEADER) {
    throw new DataError(
      `${fileName}: the header is said to hold ${length} bytes, where at most ${LARGEST_HEADER} are read. Save it as a plain array.`,
    );
  }
  const header = new TextDecoder('utf-8').decode(bytes.subarray(begin, begin + length));
  return { header, start: begin + length };
}

/** What a plain array's header says, as it is written there. */
interface Fields {
  readonly descr: string;
  readonly fortran_order: string;
  readonly shape: string;
}

/** Sticky: each goes on where the one before ended. */
const NAME = /\s*'(descr|fortran_order|shape)'\s*:\s*/y;
const VALUE = /'([^']*)'|(True|False)|\(([\d,\s]*)\)/y;
const AFTER = /\s*(,?)\s*(\}?)/y;
const BEGIN = /^\s*\{/;
const SHAPE = /^\s*(\d+\s*(,\s*\d+\s*)*,?\s*)?$/;

/** The three fields of the dictionary, each once and nothing beside them; null for any other text. */
function fieldsOf(header: string): Fields | null {
  const found = new Map<string, string>();
  const begin = BEGIN.exec(header);
  if (begin === null) return null;
  let at = begin[0].length;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    const name = next(NAME)?.[1];
    const value = next(VALUE);
    if (name === undefined || value === null || found.has(name)) return null;
    // Each field has its own kind of value: a text, a truth, extents.
    const kind = name === 'descr' ? value[1] : name === 'shape' ? value[3] : value[2];
    if (kind === undefined) return null;
    found.set(name, kind);
    const [, comma, end] = next(AFTER)!;
    if (end === '}') break;
    if (comma === '') return null;
  }
  if (found.size !== 3 || header.slice(at).trim() !== '' || !SHAPE.test(found.get('shape')!)) return null;
  return Object.fromEntries(found) as unknown as Fields;
}

/**
 * Reads a .npy file's bytes. Throws `DataError`, naming the file, for another format or version, a header that is cut short
 * or not a plain array's, numbers that are not <f2, <f4 or <f8, Fortran order, and data that is not as long as the shape says.
 */
export function decodeNpy(bytes: Uint8Array, fileName: string): NpyArray {
  const { header, start } = readHeader(bytes, fileName);
  const fields = fieldsOf(header);
  if (fields === null) {
    throw new DataError(
      `${fileName}: the header is not a plain array's, which gives descr, fortran_order and shape: ${shown(header.trim())}. Save it with np.save('file.npy', array.astype('<f4')).`,
    );
  }
  const { descr, fortran_order: order, shape: extents } = fields;
  const format = Object.hasOwn(formats, descr) ? formats[descr] : undefined;
  if (format === undefined) {
    throw new DataError(
      `${fileName} holds numbers of type ${shown(descr)}; <f2, <f4 and <f8 are read. Save it with array.astype('<f4').`,
    );
  }
  if (order === 'True') {
    throw new DataError(
      `${fileName} is stored in Fortran order, column by column. Save it with np.ascontiguousarray(array).`,
    );
  }
  const shape = extents
    .split(',')
    .map((extent) => extent.trim())
    .filter((extent) => extent !== '')
    .map(Number);
  if (shape.length > MOST_DIMENSIONS || !shape.every(Number.isSafeInteger)) {
    throw new DataError(
      `${fileName}: the shape ${shownShape(shape)} is none of an array: at most ${MOST_DIMENSIONS} dimensions, each below 2⁵³, are read.`,
    );
  }
  const wanted = shape.reduce((product, extent) => product * extent, 1) * floatBytes[format];
  const body = bytes.subarray(start);
  if (wanted !== body.length) {
    throw new DataError(
      `${fileName}: the shape ${shownShape(shape)} of ${descr} asks for ${wanted} bytes, and ${body.length} follow the header. The file is cut short or damaged.`,
    );
  }
  return { shape, data: readFloats(body, format) };
}
