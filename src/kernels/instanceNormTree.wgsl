// The row statistics of instanceNorm.wgsl for long rows:
//
//   STANDARDISE       x̂ = (x − mean x) · rstd(x),   rstd(x) = 1 / √(var x + EPSILON)
//   RECIPROCAL        rstd(x)
//   PROJECT           p = u − mean(u) − x̂ · mean(u · x̂)
//   MEAN_PRODUCT      m = mean(u · x̂)
//
// bindings  a [ROWS, R] (x, or u)   b [ROWS, R] (x̂; PROJECT and MEAN_PRODUCT only)
//           result [ROWS, R], or [ROWS] for RECIPROCAL and MEAN_PRODUCT
// launch    one workgroup a row: each invocation takes every WORKGROUP-th element, and rowTree.wgsl puts their sums together

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
#if ${PROJECT || MEAN_PRODUCT}
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
#else
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(local_invocation_index) local: u32,
  #if ${LANES > 1}
  @builtin(subgroup_invocation_id) lane: u32,
  #endif
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let row = workgroup_number(group, groups);
  if (row >= ${ROWS}u) { return; }
  let first = row * ${R}u + local;
  let last = (row + 1u) * ${R}u;

  #if ${!MEAN_PRODUCT}
  var total = 0.0;
  for (var i = first; i < last; i += ${WORKGROUP}u) { total += a[i]; }
  let mean = over_workgroup(local, ${LANE}, total) / ${R}.0;
  #endif
  #if ${STANDARDISE || RECIPROCAL}
  var squares = 0.0;
  for (var i = first; i < last; i += ${WORKGROUP}u) {
    let centred = a[i] - mean;
    squares += centred * centred;
  }
  let rstd = 1.0 / sqrt(over_workgroup(local, ${LANE}, squares) / ${R}.0 + ${EPSILON});
  #else
  var product = 0.0;
  for (var i = first; i < last; i += ${WORKGROUP}u) { product += a[i] * b[i]; }
  let mean_product = over_workgroup(local, ${LANE}, product) / ${R}.0;
  #endif

  #if ${STANDARDISE}
  for (var i = first; i < last; i += ${WORKGROUP}u) { result[i] = (a[i] - mean) * rstd; }
  #elif ${PROJECT}
  for (var i = first; i < last; i += ${WORKGROUP}u) { result[i] = a[i] - mean - b[i] * mean_product; }
  #elif ${RECIPROCAL}
  if (local == 0u) { result[row] = rstd; }
  #else
  if (local == 0u) { result[row] = mean_product; }
  #endif
}
