// 2-D convolution as a matrix product on tiles in workgroup memory, the image's windows formed on the way:
//
//   y[n,o,i,j] = Σ_c Σ_p Σ_q  w[o, c, p, q] · x[n, c, i·SH+p−PH, j·SW+q−PW]  (+ bias[o])
//
// rows of the product are output channels o, columns the pixels (n, i, j) of all images, and the inner axis (c, p, q).
// part[s,n,o,i,j] is the sum over slice s of the inner axis (+ bias[o] in slice 0).
//
// bindings  x [N, C, H, W]   w [O, C, K, L]   y [SLICES, N, O, HO, WO]   bias [O] (if BIAS)
//           with TRANSPOSED_WEIGHT w is [C, O, K, L] and read flipped: the input gradient at stride 1
//           w and y as vec4f where W_QUADS (C·K·L is a multiple of four) and Y_QUADS (HO·WO is one)
// launch    one workgroup a tile of one slice (tileProduct.wgsl, after windows.wgsl)

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
#if ${W_QUADS}
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
#endif
#if ${Y_QUADS}
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

fn left_quad(tap: u32, channel: u32) -> vec4f {
  if (tap >= ${INNER}u || channel >= ${O}u) { return vec4f(); }
  #if ${W_QUADS}
  return w[(channel * ${INNER}u + tap) / 4u];
  #else
  var quad = vec4f();
  #repeat t 4
  if (tap + ${t}u < ${INNER}u) {
    #if ${TRANSPOSED_WEIGHT}
    let tap${t} = tap + ${t}u;
    let from${t} = (tap${t} / ${K * L}u * ${O}u + channel) * ${K * L}u;
    quad[${t}] = w[from${t} + ${K * L - 1}u - tap${t} % ${K * L}u];
    #else
    quad[${t}] = w[channel * ${INNER}u + tap + ${t}u];
    #endif
  }
  #endrepeat
  return quad;
  #endif
}

fn right_quad(tap: u32, pixel: u32) -> vec4f {
  return window_quad(tap, pixel);
}

fn store(slice: u32, channel: u32, pixel: u32, sums: vec4f) {
  var values = sums;
  #if ${BIAS}
  if (slice == 0u) { values += bias[channel]; }
  #endif
  #if ${Y_QUADS}
  let image = pixel / ${HO * WO}u;
  y[(((slice * ${N}u + image) * ${O}u + channel) * ${HO * WO}u + pixel % ${HO * WO}u) / 4u] = values;
  #else
  #repeat t 4
  if (pixel + ${t}u < ${N * HO * WO}u) {
    let image = (pixel + ${t}u) / ${HO * WO}u;
    let place = (pixel + ${t}u) % ${HO * WO}u;
    y[((slice * ${N}u + image) * ${O}u + channel) * ${HO * WO}u + place] = values[${t}];
  }
  #endrepeat
  #endif
}
