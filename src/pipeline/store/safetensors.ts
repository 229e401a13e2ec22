/**
 * Safetensors: an 8-byte little-endian header length, a JSON header of dtype, shape and byte range by tensor
 * name, then the tensors' bytes without gaps. Written deterministically: the same tensors give the same bytes.
 */
import { DataError, ShapeError } from '../../errors.js';
import { type FloatFormat, floatBytes, readFloats } from './floats.js';
import { shown, shownShape } from './shownText.js';
import { parseJson } from './strictJson.js';

/** A tensor as a file holds it. */
export interface NamedTensor {
  /** Type of its elements, as the format calls it. */
  readonly dtype: 'F32' | 'I32';
  /** Its extents, outermost first. */
  readonly shape: readonly number[];
  /** Its elements in row-major order. */
  readonly data: Float32Array | Int32Array;
}

/** What a safetensors file holds. */
export interface TensorFile {
  /** The tensors by name, in the file's order. */
  readonly tensors: Map<string, NamedTensor>;
  /** The texts under `__metadata__`. */
  readonly metadata: Record<string, string>;
}

/** A file starts with its header's length in so many bytes. */
export const LENGTH_BYTES = 8;
const ELEMENT_BYTES = 4;
/**
 * Bytes that a header may hold: tens of thousands of tensors. The format's own bound of 100 MB would take gigabytes once it
 * is parsed.
 */
const LARGEST_HEADER = 4 * 2 ** 20;
/** Dimensions that a tensor may have. */
const MOST_DIMENSIONS = 32;

const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a < b ? -1 : a > b ? 1 : 0;

/**
 * The bytes of a safetensors file; tensors and metadata are sorted by name, and the data starts at a multiple
 * of 8 bytes. Throws `ShapeError` for a tensor whose data does not fit its shape or dtype.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(byName);
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    entries.push(['__metadata__', Object.fromEntries(Object.entries(metadata).sort(byName))]);
  }
  let end = 0;
  for (const [name, tensor] of sorted) {
    checkTensor(name, tensor);
    const start = end;
    end += tensor.data.byteLength;
    entries.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(json, LENGTH_BYTES);
  bytes.fill(0x20, LENGTH_BYTES + json.length, LENGTH_BYTES + headerLength);
  let offset = LENGTH_BYTES + headerLength;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function checkTensor(name: string, { dtype, shape, data }: NamedTensor): void {
  if (name === '__metadata__')
    throw new ShapeError('A tensor cannot be called __metadata__. Give it another name.');
  if (elements(shape) !== data.length) {
    throw new ShapeError(
      `Tensor ${name} has ${data.length} elements, but its shape [${shape.join(', ')}] asks for ${elements(shape)}.`,
    );
  }
  if (data instanceof Float32Array !== (dtype === 'F32')) {
    throw new ShapeError(
      `Tensor ${name} is said to be ${dtype}, but its data is a ${data.constructor.name}.`,
    );
  }
}

/** A whole number from 0 that a float64 holds exactly. */
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** What a header says of one tensor. */
interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [start: number, end: number];
}

/** One check after the other, the first that fails ends it: a list of all that is wrong could be of any length. */
function entryOf(value: unknown, fail: (fault: string) => DataError): Entry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('it is no object');
  const { dtype, shape, data_offsets, ...others } = value as Record<string, unknown>;
  const strange = Object.keys(others)[0];
  if (strange !== undefined) throw fail(`it has a field ${JSON.stringify(shown(strange))}`);
  if (typeof dtype !== 'string') throw fail('its dtype is no text');
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail('its shape is no list of sizes');
  if (shape.length > MOST_DIMENSIONS) {
    throw fail(`it has ${shape.length} dimensions, where at most ${MOST_DIMENSIONS} are read`);
  }
  if (!Array.isArray(data_offsets) || data_offsets.length !== 2 || !data_offsets.every(isSize)) {
    throw fail('its data_offsets are not two places in the file');
  }
  return { dtype, shape, data_offsets: [data_offsets[0]!, data_offsets[1]!] };
}

const isFloat = (dtype: string): dtype is FloatFormat => Object.hasOwn(floatBytes, dtype);

/**
 * Reads a safetensors file's bytes; the tensors are copies. With `widen` tensors of F16 and F64 are read too, as F32. Throws
 * `DataError`, naming the file and the tensor, for a header that is cut short, not JSON or not of the format, and for byte
 * ranges that do not fit.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  fileName: string,
  { widen = false }: { readonly widen?: boolean } = {},
): TensorFile {
  const { places, metadata } = decodeHeader(bytes, fileName, bytes.length, widen);
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { dtype, stored, shape, start, end }] of places) {
    // A copy of its own: the file's data need not lie at a multiple of 4 bytes.
    const part = bytes.subarray(start, end);
    const data = stored === 'I32' ? new Int32Array(new Uint8Array(part).buffer) : readFloats(part, stored);
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/** Where a tensor lies in its file: bytes `start` to `end`, counted from the file's beginning. */
export interface TensorPlace extends Omit<NamedTensor, 'data'> {
  readonly start: number;
  readonly end: number;
  /** How its numbers are stored: another format than `dtype` only where they are to be widened. */
  readonly stored: FloatFormat | 'I32';
}

/**
 * Where everything lies, from a file's first bytes.
 *
 * @param bytes the file's beginning, at least `headerBytes` of it
 * @param fileLength bytes of the whole file
 * @param widen whether F16 and F64 are read as well
 * @throws DataError as `decodeSafetensors` says.
 */
export function decodeHeader(
  bytes: Uint8Array,
  fileName: string,
  fileLength: number,
  widen = false,
): { readonly places: Map<string, TensorPlace>; readonly metadata: Record<string, string> } {
  const { header, metadata, bodyStart } = readHeader(bytes, fileName, fileLength);
  const bodyLength = fileLength - bodyStart;
  const places = new Map<string, TensorPlace>();
  const ranges: { name: string; start: number; end: number }[] = [];
  for (const [key, value] of header) {
    const name = shown(key);
    const { dtype, shape, data_offsets } = entryOf(
      value,
      (fault) => new DataError(`${fileName}: tensor ${name} is described wrongly: ${fault}.`),
    );
    const [start, end] = data_offsets;
    const stored = dtype === 'I32' || (isFloat(dtype) && (widen || dtype === 'F32')) ? dtype : null;
    if (stored === null) {
      throw new DataError(
        `${fileName}: tensor ${name} is of type ${shown(dtype)}; only ${widen ? 'F16, F32, F64' : 'F32'} and I32 are read.`,
      );
    }
    const expected = elements(shape) * (stored === 'I32' ? ELEMENT_BYTES : floatBytes[stored]);
    if (end - start !== expected) {
      throw new DataError(
        `${fileName}: tensor ${name} has ${end - start} bytes, but ${dtype} ${shownShape(shape)} asks for ${expected}.`,
      );
    }
    if (end > bodyLength) {
      throw new DataError(
        `${fileName}: tensor ${name} ends at byte ${end} of a data part of ${bodyLength}. The file is cut short.`,
      );
    }
    ranges.push({ name, start, end });
    const place = { start: bodyStart + start, end: bodyStart + end };
    places.set(key, { dtype: stored === 'I32' ? 'I32' : 'F32', stored, shape, ...place });
  }
  checkGapless(ranges, bodyLength, fileName);
  return { places, metadata };
}

function checkGapless(
  ranges: { name: string; start: number; end: number }[],
  length: number,
  fileName: string,
): void {
  let reached = 0;
  for (const { name, start, end } of ranges.sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== reached) {
      const fault = start < reached ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw new DataError(
        `${fileName}: tensor ${name} ${fault}: it starts at byte ${start}, not ${reached}.`,
      );
    }
    reached = end;
  }
  if (reached !== length) {
    throw new DataError(`${fileName}: ${length - reached} bytes after the last tensor belong to none.`);
  }
}

/**
 * Bytes of a file's beginning up to its data, as its first `LENGTH_BYTES` bytes say.
 *
 * @throws DataError where the file is too short for them.
 */
export function headerBytes(prefix: Uint8Array, fileName: string, fileLength: number): number {
  if (fileLength < LENGTH_BYTES) {
    throw new DataError(
      `${fileName} is not a safetensors file: it holds ${fileLength} bytes, less than a header.`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > fileLength - LENGTH_BYTES) {
    throw new DataError(
      `${fileName}: the header is said to hold ${headerLength} bytes, more than follow it. The file is cut short or not safetensors.`,
    );
  }
  if (headerLength > LARGEST_HEADER) {
    throw new DataError(
      `${fileName}: the header is said to hold ${headerLength} bytes, where at most ${LARGEST_HEADER} are read. Split the file into several.`,
    );
  }
  return LENGTH_BYTES + headerLength;
}

function readHeader(bytes: Uint8Array, fileName: string, fileLength: number) {
  const bodyStart = headerBytes(bytes, fileName, fileLength);
  let json: unknown;
  try {
    json = parseJson(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, bodyStart)),
    );
  } catch (error) {
    throw new DataError(
      `${fileName}: the header is not JSON as the format has it. The file is damaged or not safetensors.`,
      { cause: error },
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new DataError(`${fileName}: the header is not a JSON object of tensors.`);
  }
  const { __metadata__: metadata = {}, ...tensors } = json as Record<string, unknown>;
  if (!isTexts(metadata)) throw new DataError(`${fileName}: __metadata__ is not an object of texts.`);
  return { header: Object.entries(tensors), metadata, bodyStart };
}

const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === 'string');
