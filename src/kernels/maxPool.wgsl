// Maximum pooling with window K × L, strides SH, SW and paddings PH, PW, as a choice of pixels. a[c,i,j] is the place of
// the maximum of x[c, i·SH−PH … i·SH−PH+K−1, j·SW−PW … j·SW−PW+L−1] inside the image: the first in row-major order, or the
// last NaN.
//
//   default   y[c,i,j] = x[a[c,i,j]], or u[a[c,i,j]] with OTHER
//   PLACES    a[c,i,j] itself, as a place in its channel
//   ADJOINT   ū[c,r,s] = Σ ȳ[c,i,j] over the windows (i, j) with a[c,i,j] = (r, s)
//
// bindings  x [CHANNELS, H, W]   u [CHANNELS, H, W] (if OTHER)   result [CHANNELS, HO, WO]
//           with ADJOINT: cotangent (ȳ) and places (a), both [CHANNELS, HO, WO]   result [CHANNELS, H, W];
//           CHANNELS counts the channels of all images
// launch    one invocation a row of the result

#if ${ADJOINT}
@group(0) @binding(0) var<storage, read_write> cotangent: array<f32>;
@group(0) @binding(1) var<storage, read_write> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
#else
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
#if ${OTHER}
@group(0) @binding(1) var<storage, read_write> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
#elif ${PLACES}
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
#else
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
#endif

// By its bits: a device may compare as if there were no NaN.
fn is_nan(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  #if ${ADJOINT}
  if (number >= ${CHANNELS * H}u) { return; }
  let r = i32(number % ${H}u);
  let start = (number / ${H}u) * ${HO * WO}u;
  let first_i = max(0, (r + ${PH - K + SH}) / ${SH});
  let last_i = min(${HO - 1}, (r + ${PH}) / ${SH});
  for (var s = 0; s < ${W}; s++) {
    let first_j = max(0, (s + ${PW - L + SW}) / ${SW});
    let last_j = min(${WO - 1}, (s + ${PW}) / ${SW});
    let place = u32(r * ${W} + s);
    var sum = 0.0;
    for (var i = first_i; i <= last_i; i++) {
      for (var j = first_j; j <= last_j; j++) {
        let window = start + u32(i * ${WO} + j);
        if (places[window] == place) { sum += cotangent[window]; }
      }
    }
    result[number * ${W}u + u32(s)] = sum;
  }
  #else
  if (number >= ${CHANNELS * HO}u) { return; }
  let start = (number / ${HO}u) * ${H * W}u;
  let top = i32(number % ${HO}u) * ${SH} - ${PH};
  let first_r = u32(max(0, top));
  let last_r = u32(min(${H}, top + ${K}));
  for (var j = 0; j < ${WO}; j++) {
    let left = j * ${SW} - ${PW};
    let first_s = u32(max(0, left));
    let last_s = u32(min(${W}, left + ${L}));
    var place = first_r * ${W}u + first_s;
    var best = x[start + place];
    for (var r = first_r; r < last_r; r++) {
      for (var s = first_s; s < last_s; s++) {
        let value = x[start + r * ${W}u + s];
        if (value > best || is_nan(value)) {
          best = value;
          place = r * ${W}u + s;
        }
      }
    }
    let to = number * ${WO}u + u32(j);
    #if ${OTHER}
    result[to] = u[start + place];
    #elif ${PLACES}
    result[to] = place;
    #else
    result[to] = best;
    #endif
  }
  #endif
}
