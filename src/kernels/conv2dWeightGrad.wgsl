// Gradient of a convolution with respect to its weight, strides SH, SW:
//
//   part[b,o,c,p,q] = Σ_{n ∈ slice b} Σ_i Σ_j  ȳ[n,o,i,j] · x[n, c, i·SH+p−PH, j·SW+q−PW]
//
// The slices of the batch are summed afterwards in a fixed order (reduce.wgsl).
//
// bindings  x [N, C, H, W]   cotangent (ȳ) [N, O, HO, WO]   part [SLICES, O, C, K, L]
// launch    one invocation computes all L columns of TAP_ROWS rows of the window for OUTPUTS output channels, one input
//           channel and one slice; it walks the slice's images in blocks of ROWS × PIXELS, written out. PLACES neighbours
//           (C, rounded up) differ in the input channel alone, and so share ȳ: with LANES > 1 (workgroups of that size)
//           the lanes of a subgroup load different numbers of ȳ, and each tells its own to the others.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> cotangent: array<f32>;
@group(0) @binding(2) var<storage, read_write> part: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  #if ${LANES > 1}
  @builtin(subgroup_invocation_id) lane: u32,
  #endif
) {
  let number = invocation_number(id, groups);
  let works = number < ${PLACES * TAP_GROUPS * CHANNEL_GROUPS * SLICES}u && number % ${PLACES}u < ${C}u;
  #if ${LANES == 1}
  if (!works) { return; }
  #endif
  // A lane without work stays, for the others need what it loads.
  let c = min(number % ${PLACES}u, ${C - 1}u);
  let tap = ((number / ${PLACES}u) % ${TAP_GROUPS}u) * ${TAP_ROWS}u;
  let channel = ((number / ${PLACES * TAP_GROUPS}u) % ${CHANNEL_GROUPS}u) * ${OUTPUTS}u;
  let slice = min(number / ${PLACES * TAP_GROUPS * CHANNEL_GROUPS}u, ${SLICES - 1}u);
  // Bound even where every window lies in the padding.
  _ = &x;

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
  #if ${LANES > 1}
  #repeat g (OUTPUTS * ROWS * PIXELS + LANES - 1) / LANES
  let slot${g} = min(${g * LANES}u + lane, ${OUTPUTS * ROWS * PIXELS - 1}u);
  let owner${g} = min(channel + slot${g} / ${ROWS * PIXELS}u, ${O - 1}u);
  let down${g} = (slot${g} / ${PIXELS}u) % ${ROWS}u;
  let right${g} = slot${g} % ${PIXELS}u;
  let offset${g} = (owner${g} * ${HO}u + down${g}) * ${WO}u + right${g};
  #endrepeat
  #endif

  for (var turn = 0u; turn < ${IMAGES_PER_SLICE}u; turn++) {
    #if ${N % IMAGES_PER_SLICE == 0}
    let image = slice * ${IMAGES_PER_SLICE}u + turn;
    let counts = true;
    #else
    // The last slice is shorter: what lies behind it counts nothing.
    let image = min(slice * ${IMAGES_PER_SLICE}u + turn, ${N - 1}u);
    let counts = slice * ${IMAGES_PER_SLICE}u + turn < ${N}u;
    #endif
    let plane = i32((image * ${C}u + c) * ${H * W}u);
    for (var row = 0u; row < ${HO}u; row += ${ROWS}u) {
      let top = i32(row * ${SH}u + tap) - ${PH};
      #repeat r (ROWS - 1) * SH + TAP_ROWS
      let inside${r} = u32(top + ${r}) < ${H}u;
      let from${r} = plane + clamp(top + ${r}, 0, ${H - 1}) * ${W};
      #endrepeat
      for (var column = 0u; column < ${WO}u; column += ${PIXELS}u) {
        let first = (image * ${O * HO}u + row) * ${WO}u + column;
        #if ${LANES > 1}
        #repeat g (OUTPUTS * ROWS * PIXELS + LANES - 1) / LANES
        #if ${HO % ROWS == 0 && WO % PIXELS == 0 && N % IMAGES_PER_SLICE == 0}
        let gathered${g} = cotangent[first + offset${g}];
        #else
        let gathered${g} = select(
          0.0,
          cotangent[first + offset${g}],
          counts & (row + down${g} < ${HO}u) & (column + right${g} < ${WO}u)
        );
        #endif
        #endrepeat
        #endif
        #repeat r (ROWS - 1) * SH + TAP_ROWS
        #if ${r % SH < TAP_ROWS || r >= (ROWS - 1) * SH}
        #repeat t (PIXELS - 1) * SW + L
        #if ${t % SW < L}
        #if ${PIXELS >= WO && (t < PW || t - PW >= W)}
        let x${r}_${t} = 0.0;
        #elif ${PIXELS >= WO || (t >= PW && ((WO + PIXELS - 1) / PIXELS - 1) * PIXELS * SW + t - PW < W)}
        #if ${r >= PH && (HO - 1) / ROWS * ROWS * SH + (TAP_GROUPS - 1) * TAP_ROWS + r - PH < H}
        let x${r}_${t} = x[from${r} + i32(column * ${SW}u) + ${t - PW}];
        #else
        let x${r}_${t} = select(0.0, x[from${r} + i32(column * ${SW}u) + ${t - PW}], inside${r});
        #endif
        #else
        let column${r}_${t} = i32(column * ${SW}u) + ${t - PW};
        let x${r}_${t} = select(
          0.0,
          x[max(from${r} + column${r}_${t}, 0)],
          inside${r} & (u32(column${r}_${t}) < ${W}u)
        );
        #endif
        #endif
        #endrepeat
        #endif
        #endrepeat
        #repeat o OUTPUTS
        #repeat i ROWS
        #repeat j PIXELS
        #if ${LANES > 1}
        let g${o}_${i}_${j} = subgroupBroadcast(
          gathered${((o * ROWS + i) * PIXELS + j) / LANES},
          ${((o * ROWS + i) * PIXELS + j) % LANES}u
        );
        #elif ${HO % ROWS == 0 && WO % PIXELS == 0 && N % IMAGES_PER_SLICE == 0}
        let g${o}_${i}_${j} = cotangent[first + channel${o} * ${HO * WO}u + ${i * WO + j}u];
        #else
        let g${o}_${i}_${j} = select(
          0.0,
          cotangent[first + channel${o} * ${HO * WO}u + ${i * WO + j}u],
          counts & (row + ${i}u < ${HO}u) & (column + ${j}u < ${WO}u)
        );
        #endif
        #endrepeat
        #endrepeat
        #repeat p TAP_ROWS
        #repeat q L
        sum${o}_${p}_${q} = sum${o}_${p}_${q}
        #repeat i ROWS
        #repeat j PIXELS
          + g${o}_${i}_${j} * x${i * SH + p}_${j * SW + q}
        #endrepeat
        #endrepeat
        ;
        #endrepeat
        #endrepeat
        #endrepeat
      }
    }
  }

  if (!works) { return; }
  #repeat o OUTPUTS
  #if ${O % OUTPUTS != 0}
  if (channel + ${o}u < ${O}u) {
  #else
  {
  #endif
    let to = ((slice * ${O}u + channel${o}) * ${C}u + c) * ${K * L}u;
    #repeat p TAP_ROWS
    #if ${K % TAP_ROWS == 0}
    {
    #else
    if (tap + ${p}u < ${K}u) {
    #endif
      #repeat q L
      part[to + (tap + ${p}u) * ${L}u + ${q}u] = sum${o}_${p}_${q};
      #endrepeat
    }
    #endrepeat
  }
  #endrepeat
}
