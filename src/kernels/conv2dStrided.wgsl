// 2-D convolution of any stride S, and its gradient with respect to x:
//
//   forward         y[n,o,i,j] = bias[o] + Σ_c Σ_p Σ_q x[n, c, i·S+p−P, j·S+q−P] · w[o, c, p, q]
//   INPUT_GRADIENT  x̄[n,c,r,s] = Σ_o Σ_p Σ_q ȳ[n, o, (r+P−p)/S, (s+P−q)/S] · w[o, c, p, q]
//                   over the p, q for which both quotients are whole and inside ȳ
//
// bindings  source [N, C, H, W] (with INPUT_GRADIENT ȳ [N, O, HO, WO])   w [O, C, K, L]
//           result [N, O, HO, WO] (with INPUT_GRADIENT x̄ [N, C, H, W])   bias [O] (if BIAS)
// launch    one invocation an element of the result

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  #if ${INPUT_GRADIENT}
  if (number >= ${N * C * H * W}u) { return; }
  let s = i32(number % ${W}u);
  let r = i32((number / ${W}u) % ${H}u);
  let c = (number / ${W * H}u) % ${C}u;
  let image = number / ${W * H * C}u;
  var sum = 0.0;
  for (var o = 0u; o < ${O}u; o++) {
    for (var p = 0; p < ${K}; p++) {
      let i = r + ${P} - p;
      if (i < 0 || i % ${S} != 0 || i / ${S} >= ${HO}) { continue; }
      for (var q = 0; q < ${L}; q++) {
        let j = s + ${P} - q;
        if (j < 0 || j % ${S} != 0 || j / ${S} >= ${WO}) { continue; }
        sum += source[((image * ${O}u + o) * ${HO}u + u32(i / ${S})) * ${WO}u + u32(j / ${S})]
          * w[((o * ${C}u + c) * ${K}u + u32(p)) * ${L}u + u32(q)];
      }
    }
  }
  result[number] = sum;
  #else
  if (number >= ${N * O * HO * WO}u) { return; }
  let j = number % ${WO}u;
  let i = (number / ${WO}u) % ${HO}u;
  let o = (number / ${WO * HO}u) % ${O}u;
  let image = number / ${WO * HO * O}u;
  var sum = 0.0;
  for (var c = 0u; c < ${C}u; c++) {
    for (var p = 0; p < ${K}; p++) {
      let r = i32(i) * ${S} + p - ${P};
      if (r < 0 || r >= ${H}) { continue; }
      for (var q = 0; q < ${L}; q++) {
        let s = i32(j) * ${S} + q - ${P};
        if (s < 0 || s >= ${W}) { continue; }
        sum += source[((image * ${C}u + c) * ${H}u + u32(r)) * ${W}u + u32(s)]
          * w[((o * ${C}u + c) * ${K}u + u32(p)) * ${L}u + u32(q)];
      }
    }
  }
  #if ${BIAS}
  sum += bias[o];
  #endif
  result[number] = sum;
  #endif
}
