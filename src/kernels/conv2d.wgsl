// 2-D convolution (cross-correlation, as in every deep-learning framework), strides SH, SW:
//
//   y[n,o,i,j] = bias[o] + Σ_c Σ_p Σ_q  x[n, c, i·SH+p−PH, j·SW+q−PW] · w[o, c, p, q]
//
// The gradient with respect to x has the same form where the strides are 1, with w flipped, its two channel axes
// exchanged, and the padding that is left (negative where the padding was wider than the window).
//
// bindings  x [N, C, H, W]   w [O, C, K, L]   bias [O] (if BIAS)   y [N, O, HO, WO]
//           with TRANSPOSED_WEIGHT w is [C, O, K, L] and read flipped: the input gradient
// launch    one invocation computes OUTPUTS channels × PIXELS neighbours of one row of y; it walks over
//           (c, p) and keeps everything else in registers. Rows out of the image are skipped, columns
//           out of it are known from the segment's place except at the row's ends.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${N * CHANNEL_GROUPS * HO * SEGMENTS}u) { return; }
  let segment = number % ${SEGMENTS}u;
  let row = (number / ${SEGMENTS}u) % ${HO}u;
  let group = (number / ${SEGMENTS * HO}u) % ${CHANNEL_GROUPS}u;
  let image = number / ${SEGMENTS * HO * CHANNEL_GROUPS}u;
  let column = segment * ${PIXELS}u;
  let channel = group * ${OUTPUTS}u;
  // Bound even where every window lies in the padding.
  _ = &x;

  #repeat o OUTPUTS
  #if ${O % OUTPUTS == 0}
  let channel${o} = channel + ${o}u;
  #else
  let channel${o} = min(channel + ${o}u, ${O - 1}u);
  #endif
  #repeat j PIXELS
  var sum${o}_${j} = 0.0;
  #endrepeat
  #endrepeat

  for (var c = 0u; c < ${C}u; c++) {
    for (var p = 0u; p < ${K}u; p++) {
      let source_row = i32(row * ${SH}u + p) - ${PH};
      if (source_row < 0 || source_row >= ${H}) { continue; }
      let at = i32(((image * ${C}u + c) * ${H}u + u32(source_row)) * ${W}u + column * ${SW}u);
      #repeat t (PIXELS - 1) * SW + L
      #if ${t % SW < L}
      #if ${SEGMENTS == 1 && (t < PW || t - PW >= W)}
      let x${t} = 0.0;
      #elif ${(SEGMENTS == 1) || (t >= PW && (SEGMENTS - 1) * PIXELS * SW + t - PW < W)}
      let x${t} = x[at + ${t - PW}];
      #else
      let column${t} = i32(column * ${SW}u) + ${t - PW};
      let x${t} = select(0.0, x[max(at + ${t - PW}, 0)], u32(column${t}) < ${W}u);
      #endif
      #endif
      #endrepeat
      #repeat o OUTPUTS
      #if ${TRANSPOSED_WEIGHT}
      let w${o} = ((c * ${O}u + channel${o}) * ${K}u + (${K - 1}u - p)) * ${L}u;
      #else
      let w${o} = ((channel${o} * ${C}u + c) * ${K}u + p) * ${L}u;
      #endif
      #repeat q L
      #if ${TRANSPOSED_WEIGHT}
      let w${o}_${q} = w[w${o} + ${L - 1 - q}u];
      #else
      let w${o}_${q} = w[w${o} + ${q}u];
      #endif
      #endrepeat
      #repeat j PIXELS
      sum${o}_${j} = sum${o}_${j}
      #repeat q L
        + w${o}_${q} * x${j * SW + q}
      #endrepeat
      ;
      #endrepeat
      #endrepeat
    }
  }

  #repeat o OUTPUTS
  #if ${O % OUTPUTS != 0}
  if (channel + ${o}u < ${O}u) {
  #else
  {
  #endif
    let to = ((image * ${O}u + channel${o}) * ${HO}u + row) * ${WO}u + column;
    #if ${BIAS}
    let shift = bias[channel${o}];
    #else
    let shift = 0.0;
    #endif
    #repeat j PIXELS
    #if ${(SEGMENTS - 1) * PIXELS + j < WO}
    y[to + ${j}u] = sum${o}_${j} + shift;
    #else
    if (column + ${j}u < ${WO}u) { y[to + ${j}u] = sum${o}_${j} + shift; }
    #endif
    #endrepeat
  }
  #endrepeat
}
