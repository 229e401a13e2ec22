// Numbers in half their memory, and back: 16-bit floats with a scale for each block of them.
//
//   s_b   = 2^k, the power that takes the largest |x| of block b into [2^14, 2^15)
//   PACK      words[b, 0] = k + 127,   words[b, 1 + i] = (half(s_b · x[b, 2i]), half(s_b · x[b, 2i + 1]))
//   otherwise x[b, 2i], x[b, 2i + 1] = words[b, 1 + i] / s_b
//
// The scale keeps gradients of a mean, which a 16-bit float alone would lose, and sums, which would leave its range. A block
// with an infinity or a NaN is marked by the exponent 255 and comes back as NaN.
//
// bindings  PACK: x [COUNT]   words [BLOCKS, 1 + BLOCK/2] (i32)      otherwise: words, x
// launch    one invocation a block of BLOCK numbers

@group(0) @binding(0) var<storage, read_write> source: array<${SOURCE}>;
@group(0) @binding(1) var<storage, read_write> result: array<${RESULT}>;

// 2^(exponent − 127), from the exponent as a float holds it: 1 … 254.
fn power(exponent: i32) -> f32 { return bitcast<f32>(exponent << 23u); }

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let block = invocation_number(id, groups);
  if (block >= ${BLOCKS}u) { return; }
  let first = block * ${BLOCK}u;
  let last = min(first + ${BLOCK}u, ${COUNT}u);
  let header = block * ${1 + BLOCK / 2}u;
  #if ${PACK}
  // Without their signs, floats are ordered as whole numbers are, and infinities and NaN come last.
  var largest = 0;
  for (var i = first; i < last; i++) { largest = max(largest, bitcast<i32>(source[i]) & 0x7fffffff); }
  let exponent = largest >> 23u;
  // No more than 2^126, whose reciprocal is still a normal number.
  let scale = select(min(268 - exponent, 253), 255, exponent == 255);
  let factor = power(min(scale, 253));
  result[header] = scale;
  // Words beyond the last number, and those of a lost block, are zeros.
  let end = select(last, first, scale == 255);
  for (var i = first; i < first + ${BLOCK}u; i += 2u) {
    var low = 0.0;
    var high = 0.0;
    if (i < end) { low = source[i] * factor; }
    if (i + 1u < end) { high = source[i + 1u] * factor; }
    result[header + 1u + (i - first) / 2u] = bitcast<i32>(pack2x16float(vec2f(low, high)));
  }
  #else
  let scale = source[header];
  // Or-ed into every number of a lost block.
  let lost = select(0, 0x7fc00000, scale == 255);
  let factor = power(254 - min(scale, 253));
  for (var i = first; i < last; i += 2u) {
    let pair = unpack2x16float(bitcast<u32>(source[header + 1u + (i - first) / 2u])) * factor;
    result[i] = bitcast<f32>(bitcast<i32>(pair.x) | lost);
    if (i + 1u < last) { result[i + 1u] = bitcast<f32>(bitcast<i32>(pair.y) | lost); }
  }
  #endif
}
