// Philox4x32-10, a counter-based random number generator: functions to include in a kernel.
//
//   one round:  (c0, c1, c2, c3) <- (hi(M1 c2) ^ c1 ^ k0,  lo(M1 c2),  hi(M0 c0) ^ c3 ^ k1,  lo(M0 c0))
//               (k0, k1)         <- (k0 + W0, k1 + W1)
//   ten rounds, where hi and lo are the words of the 64-bit product.
//
// Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 3.3.
// philox.ts is the same function for the host; it also says how a stream's name becomes counter and key.

// The high word of a * b. WGSL has no 64-bit integers, so the product is summed from 16-bit halves; no
// partial sum passes 2^32 - 1.
fn philoxMultiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let carried = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (carried >> 16u);
}

fn philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let high0 = philoxMultiplyHigh(0xd2511f53u, c.x);
    let low0 = 0xd2511f53u * c.x;
    let high1 = philoxMultiplyHigh(0xcd9e8d57u, c.z);
    let low1 = 0xcd9e8d57u * c.z;
    c = vec4<u32>(high1 ^ c.y ^ k.x, low1, high0 ^ c.w ^ k.y, low0);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// A number uniform in [0, 1) from a word's upper 24 bits: exact in f32, and the same as the host's.
fn philoxUniform(word: u32) -> f32 {
  return f32(word >> 8u) * 0x1p-24f;
}

// The natural logarithm of x > 0 to float32 rounding, also next to 1, where devices may err by more than the result:
// x = m 2^e with m from √½ to √2, log m = 2 atanh s = 2 (s + s³/3 + s⁵/5 + …), s = (m − 1) / (m + 1).
fn philoxLog(x: f32) -> f32 {
  let parts = frexp(x);
  let isLow = parts.fract < 0.70710678;
  let m = select(parts.fract, 2.0 * parts.fract, isLow);
  let e = f32(select(parts.exp, parts.exp - 1, isLow));
  let s = (m - 1.0) / (m + 1.0);
  let q = s * s;
  let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q / 9.0)));
  return e * 0.6931471805599453 + 2.0 * s * series;
}

// (cos 2πu, sin 2πu) to float32 rounding for a multiple u of 2⁻²⁴: the nearest quarter turn is split off exactly, the
// rest, at most an eighth of a turn, goes into the Taylor series.
fn philoxTurn(u: f32) -> vec2<f32> {
  let quarter = floor(4.0 * u + 0.5);
  let x = 1.5707963267948966 * (4.0 * u - quarter);
  let q = x * x;
  let s = x * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0))));
  let c = 1.0 - q / 2.0 * (1.0 - q / 12.0 * (1.0 - q / 30.0 * (1.0 - q / 56.0)));
  let isOdd = (u32(quarter) & 1u) == 1u;
  let isTurned = (u32(quarter) & 2u) == 2u;
  let first = select(vec2<f32>(c, s), vec2<f32>(-s, c), isOdd);
  return select(first, -first, isTurned);
}

// Four standard normal numbers from a block's words, by Box–Muller: each pair of words gives a pair of numbers.
fn philoxNormals(words: vec4<u32>) -> vec4<f32> {
  let radius0 = sqrt(-2.0 * philoxLog(1.0 - philoxUniform(words.x)));
  let radius1 = sqrt(-2.0 * philoxLog(1.0 - philoxUniform(words.z)));
  return vec4<f32>(radius0 * philoxTurn(philoxUniform(words.y)), radius1 * philoxTurn(philoxUniform(words.w)));
}
