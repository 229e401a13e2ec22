import { describe, expect, it } from 'vitest';
import { DataError, ShapeError } from '../../../src/errors.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from '../../../src/pipeline/store/safetensors.js';

const weights: NamedTensor = { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0, Number.NaN, 1e-40) };
const labels: NamedTensor = { dtype: 'I32', shape: [3], data: Int32Array.of(-1, 0, 2 ** 31 - 1) };
const scalar: NamedTensor = { dtype: 'F32', shape: [], data: Float32Array.of(0.1) };
const empty: NamedTensor = { dtype: 'F32', shape: [0, 4], data: new Float32Array() };

const all = new Map([
  ['weights', weights],
  ['labels', labels],
  ['alpha', scalar],
  ['none', empty],
]);

/** A file of a header of one's own and a data part. */
function fileOf(header: unknown, body = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(body, 8 + json.length);
  return bytes;
}

describe('encodeSafetensors', () => {
  it('comes back as it was, bit for bit', () => {
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(all, { stage: 'experts' }), 'f');
    expect(tensors).toEqual(all);
    expect(Object.is(tensors.get('weights')?.data[1], -0)).toBe(true);
    expect(metadata).toEqual({ stage: 'experts' });
  });

  it('does not depend on the order of tensors and metadata', () => {
    const forwards = encodeSafetensors(all, { a: '1', b: '2' });
    const backwards = encodeSafetensors(new Map([...all].reverse()), { b: '2', a: '1' });
    expect(backwards).toEqual(forwards);
  });

  it('starts the data at a multiple of 8 bytes', () => {
    for (const name of ['a', 'ab', 'abc', 'abcd']) {
      const bytes = encodeSafetensors(new Map([[name, scalar]]));
      expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
    }
  });

  it('writes the part of a buffer that a view shows', () => {
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const bytes = encodeSafetensors(new Map([['v', { dtype: 'F32' as const, shape: [2], data: view }]]));
    expect([...decodeSafetensors(bytes, 'f').tensors.get('v')!.data]).toEqual([2, 3]);
  });

  it('refuses data that does not fit its shape or dtype', () => {
    const encode = (name: string, tensor: NamedTensor) => () => encodeSafetensors(new Map([[name, tensor]]));
    expect(encode('w', { ...weights, shape: [3] })).toThrow(/Tensor w has 4 elements.*asks for 3/);
    expect(encode('w', { ...weights, dtype: 'I32' })).toThrow(ShapeError);
    expect(encode('__metadata__', weights)).toThrow(ShapeError);
  });
});

describe('decodeSafetensors', () => {
  it('reads data that lies at an odd byte, from a view of a larger buffer', () => {
    const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const bytes = fileOf(header, new Uint8Array(Float32Array.of(2.5).buffer));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeSafetensors(shifted.subarray(1), 'f').tensors.get('a')?.data[0]).toBe(2.5);
    expect(decodeSafetensors(Buffer.from(bytes), 'f').tensors.get('a')?.data[0]).toBe(2.5);
  });

  it('refuses a file cut short anywhere', () => {
    const bytes = encodeSafetensors(all);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeSafetensors(bytes.subarray(0, length), 'cut'), `${length} bytes`).toThrow(DataError);
    }
  });

  const entry = (start: number, end: number, more: object = {}) => ({
    dtype: 'F32',
    shape: [1],
    data_offsets: [start, end],
    ...more,
  });
  it.each<[string, unknown, RegExp]>([
    ['a header that is not JSON', '{"a":', /not JSON/],
    ['a header that is a list', '[]', /not a JSON object/],
    ['another type', { a: entry(0, 8, { dtype: 'F64' }) }, /tensor a is of type F64/],
    ['sizes that do not match', { a: entry(0, 8) }, /tensor a has 8 bytes.*asks for 4/],
    [
      'offsets beyond the file',
      { a: entry(0, 4), b: entry(8, 12) },
      /tensor b ends at byte 12 of a data part of 8/,
    ],
    ['overlapping tensors', { a: entry(0, 4), b: entry(0, 4) }, /tensor b overlaps/],
    ['a gap', { a: entry(4, 8) }, /tensor a leaves a gap/],
    ['bytes of no tensor', { a: entry(0, 4) }, /4 bytes after the last tensor/],
    ['a negative size', { a: entry(0, 4, { shape: [-1] }) }, /tensor a is described wrongly/],
    ['a missing field', { a: { dtype: 'F32', shape: [1] } }, /tensor a is described wrongly.*data_offsets/],
    ['metadata that is not texts', { __metadata__: { a: 1 } }, /__metadata__/],
    ['metadata that is a list', { __metadata__: ['a'] }, /__metadata__/],
    [
      'a tensor of two descriptions',
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}',
      /not JSON as the format has it/,
    ],
    [
      'a field given twice',
      '{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}',
      /not JSON as the format has it/,
    ],
    ['a field that the format lacks', { a: entry(0, 8, { shape: [2], __proto: 1 }) }, /a field "__proto"/],
    ['lists within lists', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, /not JSON as the format has it/],
    ['offsets turned round', { a: entry(8, 4) }, /tensor a has -4 bytes/],
    ['offsets that no number holds', { a: entry(0, 2 ** 53) }, /data_offsets are not two places/],
    ['an infinite size', '{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', /no list of sizes/],
    [
      'sizes whose product wraps at 2⁶⁴',
      { a: entry(0, 8, { shape: [2 ** 32, 2 ** 31, 2 ** 3, 2] }) },
      /asks for \d/,
    ],
    [
      'sizes whose product is no number',
      { a: entry(0, 8, { shape: [...Array(31).fill(2 ** 52), 0] }) },
      /tensor a has 8 bytes/,
    ],
    ['more dimensions than are read', { a: entry(0, 4, { shape: Array(33).fill(1) }) }, /33 dimensions/],
    ['a name of megabytes, without repeating it', { ['a'.repeat(2 ** 20)]: 1 }, /^.{0,200}$/],
  ])('refuses %s, naming the file', (_, header, message) => {
    const attempt = () => decodeSafetensors(fileOf(header, new Uint8Array(8)), 'some.safetensors');
    expect(attempt).toThrow(DataError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^some\.safetensors/);
  });

  it('takes a tensor named as the prototype for what it is', () => {
    const header =
      '{"__proto__":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"__proto__":"x"}}';
    const { tensors, metadata } = decodeSafetensors(fileOf(header, new Uint8Array(8)), 'f');
    expect(tensors.get('__proto__')?.shape).toEqual([2]);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']]);
  });

  it('refuses a header of more than 4 MiB before reading it', () => {
    const bytes = new Uint8Array(8 + 4 * 2 ** 20 + 8).fill(0x20);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(4 * 2 ** 20 + 8), true);
    expect(() => decodeSafetensors(bytes, 'f')).toThrow(/where at most 4194304 are read/);
  });

  it('refuses a header said to be longer than the file, before reading it', () => {
    const bytes = new Uint8Array(16).fill(255);
    expect(() => decodeSafetensors(bytes, 'f')).toThrow(/more than follow it/);
  });
});
