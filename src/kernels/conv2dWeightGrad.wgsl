// Gradient of a convolution with respect to its weight, strides SH, SW:
//
//   part[b,o,c,p,q] = Σ_{n ∈ slice b} Σ_i Σ_j  ȳ[n,o,i,j] · x[n, c, i·SH+p−PH, j·SW+q−PW]
//
// The slices of the batch are summed afterwards in a fixed order (reduce.wgsl).
//
// bindings  x [N, C, H, W]   cotangent (ȳ) [N, O, HO, WO]   part [SLICES, O, C, K, L]
// launch    one invocation computes all L columns of TAP_ROWS rows of the window for OUTPUTS output channels, one
//           input channel and one slice; it walks the slice's rows in segments of PIXELS columns.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> cotangent: array<f32>;
@group(0) @binding(2) var<storage, read_write> part: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${C * TAP_GROUPS * CHANNEL_GROUPS * SLICES}u) { return; }
  let c = number % ${C}u;
  let tap = ((number / ${C}u) % ${TAP_GROUPS}u) * ${TAP_ROWS}u;
  let channel = ((number / ${C * TAP_GROUPS}u) % ${CHANNEL_GROUPS}u) * ${OUTPUTS}u;
  let slice = number / ${C * TAP_GROUPS * CHANNEL_GROUPS}u;

  #repeat o OUTPUTS
  #if ${O % OUTPUTS == 0}
  let channel${o} = channel + ${o}u;
  #else
  let channel${o} = min(channel + ${o}u, ${O - 1}u);
  #endif
  #repeat p TAP_ROWS
  #repeat q L
  var sum${o}_${p}_${q} = 0.0;
  #endrepeat
  #endrepeat
  #endrepeat

  // Bound even where every window lies in the padding.
  _ = &x;
  let last = min(${N}u, (slice + 1u) * ${IMAGES_PER_SLICE}u);
  for (var image = slice * ${IMAGES_PER_SLICE}u; image < last; image++) {
    for (var row = 0u; row < ${HO}u; row++) {
      for (var column = 0u; column < ${WO}u; column += ${PIXELS}u) {
        #repeat o OUTPUTS
        let from${o} = ((image * ${O}u + channel${o}) * ${HO}u + row) * ${WO}u + column;
        #repeat j PIXELS
        #if ${WO % PIXELS == 0}
        let g${o}_${j} = cotangent[from${o} + ${j}u];
        #else
        let g${o}_${j} = select(0.0, cotangent[from${o} + ${j}u], column + ${j}u < ${WO}u);
        #endif
        #endrepeat
        #endrepeat
        #repeat p TAP_ROWS
        {
          let source_row = i32(row * ${SH}u + tap) + ${p - PH};
          if (source_row >= 0 && source_row < ${H}) {
            let at = i32(((image * ${C}u + c) * ${H}u + u32(source_row)) * ${W}u + column * ${SW}u);
            #repeat t (PIXELS - 1) * SW + L
            #if ${t % SW < L}
            #if ${PIXELS >= WO && (t < PW || t - PW >= W)}
            let x${t} = 0.0;
            #elif ${PIXELS >= WO}
            let x${t} = x[at + ${t - PW}];
            #elif ${t >= PW && ((WO + PIXELS - 1) / PIXELS - 1) * PIXELS * SW + t - PW < W}
            let x${t} = x[at + ${t - PW}];
            #else
            let column${t} = i32(column * ${SW}u) + ${t - PW};
            let x${t} = select(0.0, x[max(at + ${t - PW}, 0)], u32(column${t}) < ${W}u);
            #endif
            #endif
            #endrepeat
            #repeat o OUTPUTS
            #repeat q L
            sum${o}_${p}_${q} = sum${o}_${p}_${q}
            #repeat j PIXELS
              + g${o}_${j} * x${j * SW + q}
            #endrepeat
            ;
            #endrepeat
            #endrepeat
          }
        }
        #endrepeat
      }
    }
  }

  #repeat o OUTPUTS
  #if ${O % OUTPUTS != 0}
  if (channel + ${o}u < ${O}u) {
  #else
  {
  #endif
    #repeat p TAP_ROWS
    #if ${K % TAP_ROWS != 0}
    if (tap + ${p}u < ${K}u) {
    #else
    {
    #endif
      let to = (((slice * ${O}u + channel${o}) * ${C}u + c) * ${K}u + tap + ${p}u) * ${L}u;
      #repeat q L
      part[to + ${q}u] = sum${o}_${p}_${q};
      #endrepeat
    }
    #endrepeat
  }
  #endrepeat
}
