// 2-D convolution (cross-correlation, as in every deep-learning framework), strides SH, SW:
//
//   y[n,o,i,j] = bias[o] + Σ_p Σ_c Σ_q  x[n, c, i·SH+p−PH, j·SW+q−PW] · w[o, c, p, q]
//
// The gradient with respect to x has the same form where the strides are 1, with w flipped, its two channel axes
// exchanged, and the padding that is left (negative where the padding was wider than the window).
//
// bindings  x [N, C, H, W]   w [O, C, K, L]   bias [O] (if BIAS)   y [N, O, HO, WO]
//           with TRANSPOSED_WEIGHT w is [C, O, K, L] and read flipped: the input gradient
// launch    one invocation computes OUTPUTS channels × ROWS rows × PIXELS neighbours of y in registers, WINDOW_ROWS rows of
//           the window at a time, written out. Each group of OUTPUTS channels has PLACES invocations, a multiple of the
//           workgroup, of which the first TILES do work; so all of a workgroup share their channels and weights: with
//           LANES > 1 the lanes of a subgroup load different weights, and each tells its own to the others.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  #if ${LANES > 1}
  @builtin(subgroup_invocation_id) lane: u32,
  #endif
) {
  let number = invocation_number(id, groups);
  let place = number % ${PLACES}u;
  let works = number < ${CHANNEL_GROUPS * PLACES}u && place < ${TILES}u;
  #if ${LANES == 1}
  if (!works) { return; }
  #endif
  // A lane without work stays, for the others need what it loads.
  let tile = min(place, ${TILES - 1}u);
  let channel = min(number / ${PLACES}u, ${CHANNEL_GROUPS - 1}u) * ${OUTPUTS}u;
  let column = (tile % ${SEGMENTS}u) * ${PIXELS}u;
  let row = ((tile / ${SEGMENTS}u) % ${ROW_GROUPS}u) * ${ROWS}u;
  let image = tile / ${SEGMENTS * ROW_GROUPS}u;
  // Bound even where every window lies in the padding.
  _ = &x;

  #repeat o OUTPUTS
  #if ${O % OUTPUTS == 0}
  let channel${o} = channel + ${o}u;
  #else
  let channel${o} = min(channel + ${o}u, ${O - 1}u);
  #endif
  #repeat i ROWS
  #repeat j PIXELS
  var sum${o}_${i}_${j} = 0.0;
  #endrepeat
  #endrepeat
  #endrepeat

  for (var p = 0u; p < ${K}u; p += ${WINDOW_ROWS}u) {
    let top = i32(row * ${SH}u + p) - ${PH};
    #repeat r (ROWS - 1) * SH + WINDOW_ROWS
    let inside${r} = u32(top + ${r}) < ${H}u;
    let from${r} = clamp(top + ${r}, 0, ${H - 1}) * ${W} + i32(column * ${SW}u);
    #endrepeat
    #repeat t (PIXELS - 1) * SW + L
    let within${t} = u32(i32(column * ${SW}u) + ${t - PW}) < ${W}u;
    #endrepeat
    #if ${LANES > 1}
    #repeat g (OUTPUTS * WINDOW_ROWS * L + LANES - 1) / LANES
    let slot${g} = min(${g * LANES}u + lane, ${OUTPUTS * WINDOW_ROWS * L - 1}u);
    let owner${g} = min(channel + slot${g} / ${WINDOW_ROWS * L}u, ${O - 1}u);
    let tap${g} = p * ${L}u + slot${g} % ${WINDOW_ROWS * L}u;
    #if ${TRANSPOSED_WEIGHT}
    let weight${g} = owner${g} * ${K * L}u + ${K * L - 1}u - tap${g};
    #else
    let weight${g} = owner${g} * ${C * K * L}u + tap${g};
    #endif
    #endrepeat
    #endif
    for (var c = 0u; c < ${C}u; c++) {
      let plane = i32((image * ${C}u + c) * ${H * W}u);
      #repeat r (ROWS - 1) * SH + WINDOW_ROWS
      #if ${r % SH < WINDOW_ROWS || r >= (ROWS - 1) * SH}
      #repeat t (PIXELS - 1) * SW + L
      #if ${t % SW < L}
      #if ${ROW_GROUPS == 1 && WINDOW_ROWS == K && (r < PH || r - PH >= H)}
      let x${r}_${t} = 0.0;
      #elif ${SEGMENTS == 1 && (t < PW || t - PW >= W)}
      let x${r}_${t} = 0.0;
      #elif ${SEGMENTS == 1 || (t >= PW && (SEGMENTS - 1) * PIXELS * SW + t - PW < W)}
      #if ${r >= PH && (ROW_GROUPS - 1) * ROWS * SH + K - WINDOW_ROWS + r - PH < H}
      let x${r}_${t} = x[plane + from${r} + ${t - PW}];
      #else
      let x${r}_${t} = select(0.0, x[plane + from${r} + ${t - PW}], inside${r});
      #endif
      #else
      let x${r}_${t} = select(0.0, x[max(plane + from${r} + ${t - PW}, 0)], inside${r} & within${t});
      #endif
      #endif
      #endrepeat
      #endif
      #endrepeat
      #if ${LANES > 1}
      #repeat g (OUTPUTS * WINDOW_ROWS * L + LANES - 1) / LANES
      #if ${TRANSPOSED_WEIGHT}
      let gathered${g} = w[weight${g} + c * ${O * K * L}u];
      #else
      let gathered${g} = w[weight${g} + c * ${K * L}u];
      #endif
      #endrepeat
      #endif
      #repeat o OUTPUTS
      #if ${LANES == 1}
      #if ${TRANSPOSED_WEIGHT}
      let weights${o} = (c * ${O}u + channel${o}) * ${K * L}u + ${K * L - 1}u - p * ${L}u;
      #else
      let weights${o} = (channel${o} * ${C}u + c) * ${K * L}u + p * ${L}u;
      #endif
      #endif
      #repeat q WINDOW_ROWS * L
      #if ${LANES > 1}
      let w${o}_${q} = subgroupBroadcast(gathered${(o * WINDOW_ROWS * L + q) / LANES}, ${(o * WINDOW_ROWS * L + q) % LANES}u);
      #elif ${TRANSPOSED_WEIGHT}
      let w${o}_${q} = w[weights${o} - ${q}u];
      #else
      let w${o}_${q} = w[weights${o} + ${q}u];
      #endif
      #endrepeat
      #repeat i ROWS
      #repeat j PIXELS
      sum${o}_${i}_${j} = sum${o}_${i}_${j}
      #repeat q WINDOW_ROWS * L
        + w${o}_${q} * x${i * SH + q / L}_${j * SW + q % L}
      #endrepeat
      ;
      #endrepeat
      #endrepeat
      #endrepeat
    }
  }

  #if ${LANES > 1}
  if (!works) { return; }
  #endif
  #repeat o OUTPUTS
  #if ${O % OUTPUTS != 0}
  if (channel + ${o}u < ${O}u) {
  #else
  {
  #endif
    #if ${BIAS}
    let shift = bias[channel${o}];
    #else
    let shift = 0.0;
    #endif
    let to = ((image * ${O}u + channel${o}) * ${HO}u + row) * ${WO}u + column;
    #repeat i ROWS
    #if ${HO % ROWS != 0 && i > 0}
    if (row + ${i}u < ${HO}u) {
    #else
    {
    #endif
      #repeat j PIXELS
      #if ${(SEGMENTS - 1) * PIXELS + j < WO}
      y[to + ${i * WO + j}u] = sum${o}_${i}_${j} + shift;
      #else
      if (column + ${j}u < ${WO}u) { y[to + ${i * WO + j}u] = sum${o}_${i}_${j} + shift; }
      #endif
      #endrepeat
    }
    #endrepeat
  }
  #endrepeat
}
