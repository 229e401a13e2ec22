// Gradient of a convolution with respect to its weight as a matrix product on tiles in workgroup memory:
//
//   part[s,o,c,p,q] = Σ_{(n,i,j) ∈ slice s}  ȳ[n,o,i,j] · x[n, c, i·SH+p−PH, j·SW+q−PW]
//
// rows of the product are output channels o, columns the window's elements (c, p, q), and the inner axis the pixels
// (n, i, j) of all images. The slices are summed afterwards in a fixed order (reduce.wgsl).
//
// bindings  x [N, C, H, W]   cotangent (ȳ) [N, O, HO, WO]   part [SLICES, O, C, K, L]
//           cotangent and part as vec4f where COTANGENT_QUADS (HO·WO is a multiple of four) and PART_QUADS (C·K·L is one)
// launch    one workgroup a tile of one slice (tileProduct.wgsl, after windows.wgsl)

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
#if ${COTANGENT_QUADS}
@group(0) @binding(1) var<storage, read_write> cotangent: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read_write> cotangent: array<f32>;
#endif
#if ${PART_QUADS}
@group(0) @binding(2) var<storage, read_write> part: array<vec4f>;
#else
@group(0) @binding(2) var<storage, read_write> part: array<f32>;
#endif

fn left_quad(pixel: u32, channel: u32) -> vec4f {
  if (pixel >= ${INNER}u || channel >= ${O}u) { return vec4f(); }
  #if ${COTANGENT_QUADS}
  let image = pixel / ${HO * WO}u;
  return cotangent[((image * ${O}u + channel) * ${HO * WO}u + pixel % ${HO * WO}u) / 4u];
  #else
  var quad = vec4f();
  #repeat t 4
  if (pixel + ${t}u < ${INNER}u) {
    let image = (pixel + ${t}u) / ${HO * WO}u;
    quad[${t}] = cotangent[(image * ${O}u + channel) * ${HO * WO}u + (pixel + ${t}u) % ${HO * WO}u];
  }
  #endrepeat
  return quad;
  #endif
}

fn right_quad(pixel: u32, tap: u32) -> vec4f {
  return window_quad(tap, pixel);
}

fn store(slice: u32, channel: u32, tap: u32, sums: vec4f) {
  let to = (slice * ${O}u + channel) * ${COLUMNS}u + tap;
  #if ${PART_QUADS}
  part[to / 4u] = sums;
  #else
  #repeat t 4
  if (tap + ${t}u < ${COLUMNS}u) { part[to + ${t}u] = sums[${t}]; }
  #endrepeat
  #endif
}
