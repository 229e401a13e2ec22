// Random views of images: an affine map, sampled bilinearly, then colour and noise. With view v of image b,
//
//   (r, s)    = (v3·j + v4·i + v5,  v0·j + v1·i + v2)         place in the source of the pixel in row i, column j
//   y[b,c,i,j] = v6 · gray(x[b,·](r, s), v8) + v7 + v9 · normal
//
// where i and j count from the image's centre, places outside the image take its border, gray(x, 1) is the luminance of
// a colour image and gray(x, 0) the image itself. Each block of Philox gives the noise of four neighbours. LINEAR leaves
// out what is added, v7 and the noise.
//
// bindings  x [B, C, H, W]   view [B, 12]   stream [4] (i32; not if LINEAR)   y [B, C, H, W]
//           stream holds index low, seed high, seed low and the purpose's hash
// launch    one invocation computes four neighbours of the flat result

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> view: array<f32>;
#if ${LINEAR}
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> stream: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#endif

fn sample(plane: u32, r: f32, s: f32) -> f32 {
  let row = clamp(r, 0.0, ${H - 1}.0);
  let column = clamp(s, 0.0, ${W - 1}.0);
  let top = u32(floor(row));
  let left = u32(floor(column));
  let bottom = min(top + 1u, ${H - 1}u);
  let right = min(left + 1u, ${W - 1}u);
  let down = row - f32(top);
  let across = column - f32(left);
  let upper = mix(x[plane + top * ${W}u + left], x[plane + top * ${W}u + right], across);
  let lower = mix(x[plane + bottom * ${W}u + left], x[plane + bottom * ${W}u + right], across);
  return mix(upper, lower, down);
}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let block = invocation_number(id, groups);
  if (block * 4u >= ${B * C * H * W}u) { return; }
  #if ${!LINEAR}
  let counter = vec4u(block, u32(stream[0]), u32(stream[1]), 0u);
  let noise = philoxNormals(philox4x32(counter, vec2u(u32(stream[2]), u32(stream[3]))));
  #endif
  for (var k = 0u; k < 4u; k++) {
    let number = block * 4u + k;
    if (number >= ${B * C * H * W}u) { return; }
    let j = f32(number % ${W}u) - ${W - 1}.0 / 2.0;
    let i = f32((number / ${W}u) % ${H}u) - ${H - 1}.0 / 2.0;
    let plane = number / ${H * W}u;
    let v = (plane / ${C}u) * ${VIEW_NUMBERS}u;
    let s = view[v] * j + view[v + 1u] * i + view[v + 2u];
    let r = view[v + 3u] * j + view[v + 4u] * i + view[v + 5u];
    #if ${C == 3}
    var value = 0.0;
    if (view[v + ${GRAY}u] > 0.5) {
      let first = (plane / 3u) * ${3 * H * W}u;
      value = ${RED} * sample(first, r, s) + ${GREEN} * sample(first + ${H * W}u, r, s)
        + ${BLUE} * sample(first + ${2 * H * W}u, r, s);
    } else {
      value = sample(plane * ${H * W}u, r, s);
    }
    #else
    let value = sample(plane * ${H * W}u, r, s);
    #endif
    #if ${LINEAR}
    y[number] = view[v + ${CONTRAST}u] * value;
    #else
    y[number] = view[v + ${CONTRAST}u] * value + view[v + ${BRIGHTNESS}u] + view[v + ${NOISE}u] * noise[k];
    #endif
  }
}
