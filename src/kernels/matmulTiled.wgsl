// Matrix product with either operand transposed, scaled, on tiles in workgroup memory:
//
//   y[i,j] = SCALE · Σ_k a[i,k] · b[k,j] (+ bias[j])        part[s,i,j]: the sum over slice s of k (+ bias[j] in slice 0)
//
// bindings  a [ROWS, INNER], with TRANSPOSE_A [INNER, ROWS]   b [INNER, COLUMNS], with TRANSPOSE_B [COLUMNS, INNER]
//           y [SLICES, ROWS, COLUMNS]   bias [COLUMNS] (if BIAS)
//           each as vec4f (A_QUADS, B_QUADS, Y_QUADS) where its last extent is a multiple of four
// launch    one workgroup a tile of one slice (tileProduct.wgsl, which follows this file)

#if ${A_QUADS}
@group(0) @binding(0) var<storage, read_write> a: array<vec4f>;
#else
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
#endif
#if ${B_QUADS}
@group(0) @binding(1) var<storage, read_write> b: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
#endif
#if ${Y_QUADS}
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

#if ${TRANSPOSE_A}
fn left_quad(k: u32, row: u32) -> vec4f {
  if (k >= ${INNER}u || row >= ${ROWS}u) { return vec4f(); }
  #if ${A_QUADS}
  return a[(k * ${ROWS}u + row) / 4u];
  #else
  var quad = vec4f();
  #repeat t 4
  if (row + ${t}u < ${ROWS}u) { quad[${t}] = a[k * ${ROWS}u + row + ${t}u]; }
  #endrepeat
  return quad;
  #endif
}
#else
fn left_quad(k: u32, row: u32) -> vec4f {
  if (k >= ${INNER}u || row >= ${ROWS}u) { return vec4f(); }
  #if ${A_QUADS}
  return a[(row * ${INNER}u + k) / 4u];
  #else
  var quad = vec4f();
  #repeat t 4
  if (k + ${t}u < ${INNER}u) { quad[${t}] = a[row * ${INNER}u + k + ${t}u]; }
  #endrepeat
  return quad;
  #endif
}
#endif

#if ${TRANSPOSE_B}
fn right_quad(k: u32, column: u32) -> vec4f {
  if (k >= ${INNER}u || column >= ${COLUMNS}u) { return vec4f(); }
  #if ${B_QUADS}
  return b[(column * ${INNER}u + k) / 4u];
  #else
  var quad = vec4f();
  #repeat t 4
  if (k + ${t}u < ${INNER}u) { quad[${t}] = b[column * ${INNER}u + k + ${t}u]; }
  #endrepeat
  return quad;
  #endif
}
#else
fn right_quad(k: u32, column: u32) -> vec4f {
  if (k >= ${INNER}u || column >= ${COLUMNS}u) { return vec4f(); }
  #if ${B_QUADS}
  return b[(k * ${COLUMNS}u + column) / 4u];
  #else
  var quad = vec4f();
  #repeat t 4
  if (column + ${t}u < ${COLUMNS}u) { quad[${t}] = b[k * ${COLUMNS}u + column + ${t}u]; }
  #endrepeat
  return quad;
  #endif
}
#endif

fn store(slice: u32, row: u32, column: u32, sums: vec4f) {
  var values = ${SCALE} * sums;
  #if ${BIAS}
  if (slice == 0u) {
    #repeat t 4
    if (column + ${t}u < ${COLUMNS}u) { values[${t}] += bias[column + ${t}u]; }
    #endrepeat
  }
  #endif
  let to = (slice * ${ROWS}u + row) * ${COLUMNS}u + column;
  #if ${Y_QUADS}
  y[to / 4u] = values;
  #else
  #repeat t 4
  if (column + ${t}u < ${COLUMNS}u) { y[to + ${t}u] = values[${t}]; }
  #endrepeat
  #endif
}
