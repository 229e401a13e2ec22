// A symmetric blur of each image along one axis, mirrored at the border (the border pixel is repeated):
//
//   y[o,p,q] = weights[b,0] · x[o,p,q] + Σ_{k=1…REACH} weights[b,k] · (x[o,m(p − k),q] + x[o,m(p + k),q])
//
// with o the axes in front of the blurred one, q those behind it, b the image of o, and m the mirrored place.
//
// bindings  x [OUTER, EXTENT, INNER]   weights [images, REACH + 1]   y [OUTER, EXTENT, INNER]; PER_IMAGE numbers an image
// launch    one invocation computes one number of the result

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn mirrored(place: u32) -> u32 {
  let in_period = place % ${2 * EXTENT}u;
  return select(${2 * EXTENT - 1}u - in_period, in_period, in_period < ${EXTENT}u);
}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${OUTER * EXTENT * INNER}u) { return; }
  let place = (number / ${INNER}u) % ${EXTENT}u;
  let start = number - place * ${INNER}u;
  let first_weight = (number / ${PER_IMAGE}u) * ${REACH + 1}u;
  var sum = weights[first_weight] * x[number];
  for (var k = 1u; k <= ${REACH}u; k++) {
    // As many periods as the reach has pixels keep the place positive.
    let before = x[start + mirrored(place + ${2 * EXTENT * REACH}u - k) * ${INNER}u];
    let behind = x[start + mirrored(place + k) * ${INNER}u];
    sum += weights[first_weight + k] * (before + behind);
  }
  y[number] = sum;
}
