// Gradient of a convolution with respect to its input, where a stride SH, SW is above 1 (conv2d.wgsl does the others):
//
//   x̄[n,c,r,s] = Σ_o Σ_p Σ_q  ȳ[n, o, (r+PH−p)/SH, (s+PW−q)/SW] · w[o, c, p, q]
//                over the p, q for which both quotients are whole and inside ȳ
//
// bindings  cotangent (ȳ) [N, O, HO, WO]   w [O, C, K, L]   result (x̄) [N, C, H, W]
// launch    one invocation computes OUTPUTS channels × PIXELS neighbours of one row of x̄; it walks over o and the p
//           that meet its row, SH apart. A segment starts at a multiple of SW (PIXELS is one, or there is one
//           segment), so which q meet which pixel is known beforehand: SOURCES neighbours of ȳ from FIRST on.

@group(0) @binding(0) var<storage, read_write> cotangent: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${N * CHANNEL_GROUPS * H * SEGMENTS}u) { return; }
  let segment = number % ${SEGMENTS}u;
  let row = (number / ${SEGMENTS}u) % ${H}u;
  let group = (number / ${SEGMENTS * H}u) % ${CHANNEL_GROUPS}u;
  let image = number / ${SEGMENTS * H * CHANNEL_GROUPS}u;
  let column = segment * ${PIXELS}u;
  let channel = group * ${OUTPUTS}u;
  // Bound even where no window meets the image.
  _ = &cotangent;

  #repeat c OUTPUTS
  #if ${C % OUTPUTS == 0}
  let channel${c} = channel + ${c}u;
  #else
  let channel${c} = min(channel + ${c}u, ${C - 1}u);
  #endif
  #repeat j PIXELS
  var sum${c}_${j} = 0.0;
  #endrepeat
  #endrepeat

  for (var o = 0u; o < ${O}u; o++) {
    for (var p = (row + ${PH}u) % ${SH}u; p < ${K}u; p += ${SH}u) {
      let source_row = i32((row + ${PH}u) / ${SH}u) - i32(p / ${SH}u);
      if (source_row < 0 || source_row >= ${HO}) { continue; }
      let source_column = i32(column / ${SW}u);
      let at = i32(((image * ${O}u + o) * ${HO}u + u32(source_row)) * ${WO}u) + source_column;
      #repeat t SOURCES
      #if ${SEGMENTS == 1 && (t + FIRST < 0 || t + FIRST >= WO)}
      let y${t} = 0.0;
      #elif ${SEGMENTS == 1 || (t + FIRST >= 0 && (SEGMENTS - 1) * PIXELS / SW + t + FIRST < WO)}
      let y${t} = cotangent[at + ${t + FIRST}];
      #else
      let column${t} = source_column + ${t + FIRST};
      let y${t} = select(0.0, cotangent[max(at + ${t + FIRST}, 0)], u32(column${t}) < ${WO}u);
      #endif
      #endrepeat
      #repeat c OUTPUTS
      let w${c} = ((o * ${C}u + channel${c}) * ${K}u + p) * ${L}u;
      #repeat q L
      let w${c}_${q} = w[w${c} + ${q}u];
      #endrepeat
      #repeat j PIXELS
      sum${c}_${j} = sum${c}_${j}
      #repeat q L
      #if ${(j + PW + SW * L - q) % SW == 0}
        + w${c}_${q} * y${(j + PW + SW * L - q) / SW - L - FIRST}
      #endif
      #endrepeat
      ;
      #endrepeat
      #endrepeat
    }
  }

  #repeat c OUTPUTS
  #if ${C % OUTPUTS != 0}
  if (channel + ${c}u < ${C}u) {
  #else
  {
  #endif
    let to = ((image * ${C}u + channel${c}) * ${H}u + row) * ${W}u + column;
    #repeat j PIXELS
    #if ${(SEGMENTS - 1) * PIXELS + j < W}
    result[to + ${j}u] = sum${c}_${j};
    #else
    if (column + ${j}u < ${W}u) { result[to + ${j}u] = sum${c}_${j}; }
    #endif
    #endrepeat
  }
  #endrepeat
}
