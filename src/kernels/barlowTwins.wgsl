// The Barlow Twins loss of a cross-correlation matrix (MKDT eq. 1) and its derivatives. With W[i,j] = 1 on the
// diagonal and λ (LAMBDA) off it:
//
//   LOSS        part[i] = (1 − F[i,i])² + λ Σ_{j≠i} F[i,j]²
//   GRADIENT    result = 2 W ∘ (F − I)
//   CURVATURE   result = 2 W ∘ F          (F here is any matrix: the gradient's derivative along it)
//
// bindings  f [D, D]   result [D, D], or part [D] for LOSS (summed by reduce.wgsl)
// launch    one invocation a row of F

@group(0) @binding(0) var<storage, read_write> f: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = invocation_number(id, groups);
  if (i >= ${D}u) { return; }
  let diagonal = i * ${D + 1}u;
  #if ${LOSS}
  var sum = 0.0;
  for (var j = 0u; j < ${D}u; j++) {
    let value = f[i * ${D}u + j];
    if (j != i) { sum += value * value; }
  }
  let miss = 1.0 - f[diagonal];
  result[i] = miss * miss + ${LAMBDA} * sum;
  #else
  for (var j = 0u; j < ${D}u; j++) {
    if (j != i) { result[i * ${D}u + j] = 2.0 * ${LAMBDA} * f[i * ${D}u + j]; }
  }
  #if ${GRADIENT}
  result[diagonal] = 2.0 * (f[diagonal] - 1.0);
  #else
  result[diagonal] = 2.0 * f[diagonal];
  #endif
  #endif
}
