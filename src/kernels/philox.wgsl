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
