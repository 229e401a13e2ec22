import { describe, expect, it } from 'vitest';
import { bindingAccess, withLengths } from '../../src/kernels/bindings.js';

const declared = (names: readonly string[]): string =>
  names.map((name, k) => `@group(0) @binding(${k}) var<storage, read_write> ${name}: array<f32>;`).join('\n');

it('tells what a kernel reads, writes and updates, in the order of its bindings', () => {
  const code = `${declared(['a', 'index', 'result', 'total', 'both'])}
fn main() {
  result[u32(index[i]) * 4u] = a[i];
  total[0] += a[i];
  if (both[i] == 1.0) { both[i] = 2.0; }
}`;
  expect(bindingAccess(code)).toEqual(['read', 'read', 'write', 'update', 'update']);
});

it('is not misled by names within names, comparisons or indices that hold indices', () => {
  const code = `${declared(['b', 'ab', 'out'])}
fn main() { ab[out_of[b[0]]] = 1.0; let x = out[ab2[1]] <= 3.0; }`;
  expect(bindingAccess(code)).toEqual(['read', 'write', 'read']);
});

describe('the lengths of storage arrays', () => {
  const code = [
    '@group(0) @binding(0) var<storage, read_write> x: array<f32>;',
    '@group(0) @binding(1) var<storage, read> rows: array<i32>;',
    '@group(0) @binding(2) var<storage, read_write> quads: array<vec4f>;',
  ].join('\n');

  it('are written where the kernel declares numbers, in the order of the bindings', () => {
    expect(withLengths(code, [7, 3, 8]).split('\n')).toEqual([
      '@group(0) @binding(0) var<storage, read_write> x: array<f32, 7>;',
      '@group(0) @binding(1) var<storage, read> rows: array<i32, 3>;',
      '@group(0) @binding(2) var<storage, read_write> quads: array<vec4f>;',
    ]);
  });
});
