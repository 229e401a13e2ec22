// Average pooling with window K × L, strides SH, SW and paddings PH, PW (zeros, which count), and its adjoint:
//
//   forward   y[c,i,j] = (1 / (K·L)) Σ_p Σ_q x[c, i·SH+p−PH, j·SW+q−PW]
//   ADJOINT   x̄[c,r,s] = (1 / (K·L)) Σ ȳ[c, i, j] over the windows (i, j) that hold (r, s)
//
// Pixels that fit into no whole window are left out (and get no gradient).
//
// bindings  source [CHANNELS, H, W] (with ADJOINT [CHANNELS, HO, WO])   result: the other of the two;
//           CHANNELS counts the channels of all images
// launch    one invocation a row of the result. WRITTEN_OUT (no padding; with ADJOINT, windows side by side): UNROLL (a
//           divisor of WO) windows at a time, every term written out

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
  #if ${WRITTEN_OUT}
  let i = u32(r) / ${K}u;
  if (i < ${HO}u) {
    let source_row = start + i * ${WO}u;
    for (var block = 0u; block < ${WO}u; block += ${UNROLL}u) {
      #repeat j UNROLL
      let value${j} = source[source_row + block + ${j}u] * ${INVERSE_AREA};
      #repeat q L
      result[to + (block + ${j}u) * ${L}u + ${q}u] = value${j};
      #endrepeat
      #endrepeat
    }
  } else {
    for (var s = 0u; s < ${WO * L}u; s++) { result[to + s] = 0.0; }
  }
  for (var s = ${WO * L}u; s < ${W}u; s++) { result[to + s] = 0.0; }
  #else
  let first_i = max(0, (r + ${PH - K + SH}) / ${SH});
  let last_i = min(${HO - 1}, (r + ${PH}) / ${SH});
  for (var s = 0; s < ${W}; s++) {
    let first_j = max(0, (s + ${PW - L + SW}) / ${SW});
    let last_j = min(${WO - 1}, (s + ${PW}) / ${SW});
    var sum = 0.0;
    for (var i = first_i; i <= last_i; i++) {
      for (var j = first_j; j <= last_j; j++) { sum += source[start + u32(i * ${WO} + j)]; }
    }
    result[to + u32(s)] = sum * ${INVERSE_AREA};
  }
  #endif
  #else
  if (number >= ${CHANNELS * HO}u) { return; }
  let to = number * ${WO}u;
  #if ${WRITTEN_OUT}
  let start = (number / ${HO}u) * ${H * W}u + (number % ${HO}u) * ${SH * W}u;
  for (var block = 0u; block < ${WO}u; block += ${UNROLL}u) {
    #repeat j UNROLL
    {
      let at = start + (block + ${j}u) * ${SW}u;
      let sum = 0.0
      #repeat p K
      #repeat q L
        + source[at + ${p * W + q}u]
      #endrepeat
      #endrepeat
      ;
      result[to + block + ${j}u] = sum * ${INVERSE_AREA};
    }
    #endrepeat
  }
  #else
  let start = (number / ${HO}u) * ${H * W}u;
  let top = i32(number % ${HO}u) * ${SH} - ${PH};
  let first_r = u32(max(0, top));
  let last_r = u32(min(${H}, top + ${K}));
  for (var j = 0; j < ${WO}; j++) {
    let left = j * ${SW} - ${PW};
    let first_s = u32(max(0, left));
    let last_s = u32(min(${W}, left + ${L}));
    var sum = 0.0;
    for (var r = first_r; r < last_r; r++) {
      for (var s = first_s; s < last_s; s++) { sum += source[start + r * ${W}u + s]; }
    }
    result[to + u32(j)] = sum * ${INVERSE_AREA};
  }
  #endif
  #endif
}
