// Average pooling with window K × K and stride S, and its adjoint:
//
//   forward   y[c,i,j] = (1 / K²) Σ_p Σ_q x[c, i·S+p, j·S+q]
//   ADJOINT   x̄[c,r,s] = (1 / K²) Σ ȳ[c, i, j] over the windows (i, j) that hold (r, s)
//
// Pixels that fit into no whole window are left out (and get no gradient).
//
// bindings  source [CHANNELS, H, W] (with ADJOINT [CHANNELS, HO, WO])   result: the other of the two;
//           CHANNELS counts the channels of all images
// launch    one invocation a row of the result

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  #if ${ADJOINT}
  if (number >= ${CHANNELS * H}u) { return; }
  let r = i32(number % ${H}u);
  let start = (number / ${H}u) * ${HO * WO}u;
  let to = number * ${W}u;
  #if ${K == S}
  let i = u32(r) / ${K}u;
  for (var s = 0u; s < ${W}u; s++) {
    let j = s / ${K}u;
    var value = 0.0;
    if (i < ${HO}u && j < ${WO}u) { value = source[start + i * ${WO}u + j]; }
    result[to + s] = value * ${INVERSE_AREA};
  }
  #else
  let first_i = max(0, (r - ${K} + ${S}) / ${S});
  let last_i = min(${HO - 1}, r / ${S});
  for (var s = 0; s < ${W}; s++) {
    let first_j = max(0, (s - ${K} + ${S}) / ${S});
    let last_j = min(${WO - 1}, s / ${S});
    var sum = 0.0;
    for (var i = first_i; i <= last_i; i++) {
      for (var j = first_j; j <= last_j; j++) { sum += source[start + u32(i * ${WO} + j)]; }
    }
    result[to + u32(s)] = sum * ${INVERSE_AREA};
  }
  #endif
  #else
  if (number >= ${CHANNELS * HO}u) { return; }
  let start = (number / ${HO}u) * ${H * W}u + (number % ${HO}u) * ${S * W}u;
  let to = number * ${WO}u;
  for (var j = 0u; j < ${WO}u; j++) {
    var sum = 0.0;
    #repeat p K
    #repeat q K
    sum += source[start + j * ${S}u + ${p * W + q}u];
    #endrepeat
    #endrepeat
    result[to + j] = sum * ${INVERSE_AREA};
  }
  #endif
}
