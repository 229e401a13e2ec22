// The adjoint of a view's linear part (augment.wgsl): what was made of each pixel of the source, weighed.
//
//   x̄[b,c,p,q] = v6 · Σ_{i,j} tent(clamp(r) − p) · tent(clamp(s) − q) · gray(c̄[b,·,i,j], v8)
//   (r, s)      = (v3·j + v4·i + v5,  v0·j + v1·i + v2)           tent(d) = max(0, 1 − |d|)
//
// where clamp brings a place into the image, gray(c̄, 0) is c̄ of the plane and gray(c̄, 1) the plane's share of the luminance
// times the sum over the planes. Along each row i the pixels j that reach (p, q) lie in an interval, which is computed and
// widened by a pixel either side; the weights decide. The sum's order is that of (i, j).
//
// bindings  cotangent [B, C, H, W]   view [B, 12]   result [B, C, H, W]
// launch    one invocation computes one number of the result

@group(0) @binding(0) var<storage, read_write> cotangent: array<f32>;
@group(0) @binding(1) var<storage, read_write> view: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

// Beyond any place of an image.
const FAR = 1e9;
// Below this slope a row of the view hardly moves in the source, and dividing by it would lose the pixel.
const FLAT = 1e-3;

// Between which j the place slope · j + offset is less than a pixel from `pixel`, or beyond the border that it lies on.
fn reach(slope: f32, offset: f32, pixel: u32, last: u32) -> vec2f {
  if (abs(slope) < FLAT) { return vec2f(-FAR, FAR); }
  let low = select(f32(pixel) - 1.0, -FAR, pixel == 0u);
  let high = select(f32(pixel) + 1.0, FAR, pixel == last);
  let ends = (vec2f(low, high) - offset) / slope;
  return vec2f(min(ends.x, ends.y), max(ends.x, ends.y));
}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${B * C * H * W}u) { return; }
  let q = number % ${W}u;
  let p = (number / ${W}u) % ${H}u;
  let plane = number / ${H * W}u;
  let v = (plane / ${C}u) * ${VIEW_NUMBERS}u;
  let across = vec3f(view[v], view[v + 1u], view[v + 2u]);
  let down = vec3f(view[v + 3u], view[v + 4u], view[v + 5u]);
  #if ${C == 3}
  let is_gray = view[v + ${GRAY}u] > 0.5;
  let first_plane = (plane / 3u) * ${3 * H * W}u;
  #endif
  let middle = ${W - 1}.0 / 2.0;
  var sum = 0.0;
  for (var row = 0u; row < ${H}u; row++) {
    let i = f32(row) - ${H - 1}.0 / 2.0;
    let a = reach(across.x, across.y * i + across.z, q, ${W - 1}u);
    let b = reach(down.x, down.y * i + down.z, p, ${H - 1}u);
    let first = clamp(ceil(max(a.x, b.x) + middle) - 1.0, 0.0, ${W - 1}.0);
    let last = clamp(floor(min(a.y, b.y) + middle) + 1.0, 0.0, ${W - 1}.0);
    for (var column = u32(first); column <= u32(last); column++) {
      let j = f32(column) - middle;
      let s = across.x * j + across.y * i + across.z;
      let r = down.x * j + down.y * i + down.z;
      let weight = max(0.0, 1.0 - abs(clamp(s, 0.0, ${W - 1}.0) - f32(q)))
        * max(0.0, 1.0 - abs(clamp(r, 0.0, ${H - 1}.0) - f32(p)));
      let place = row * ${W}u + column;
      #if ${C == 3}
      if (is_gray) {
        sum += weight * (cotangent[first_plane + place] + cotangent[first_plane + ${H * W}u + place]
          + cotangent[first_plane + ${2 * H * W}u + place]);
      } else {
        sum += weight * cotangent[plane * ${H * W}u + place];
      }
      #else
      sum += weight * cotangent[plane * ${H * W}u + place];
      #endif
    }
  }
  #if ${C == 3}
  if (is_gray) {
    let channel = plane % 3u;
    sum *= select(select(${BLUE}, ${GREEN}, channel == 1u), ${RED}, channel == 0u);
  }
  #endif
  result[number] = view[v + ${CONTRAST}u] * sum;
}
