// Squared distance of two tensors, fused: the mean squared error of MKDT eqs. 5 and 6 (SCALE = 1 / COUNT), and the
// parameter distance of eq. 4 (SCALE = 1):
//
//   part[s] = SCALE · Σ_{i ∈ slice s} (a[i] − b[i])²
//
// The slices are summed afterwards in a fixed order (reduce.wgsl).
//
// bindings  a [COUNT]   b [COUNT]   part [SLICES]
// launch    one invocation a slice of PER_SLICE neighbours

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> part: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let slice = invocation_number(id, groups);
  if (slice >= ${SLICES}u) { return; }
  let last = min(${COUNT}u, (slice + 1u) * ${PER_SLICE}u);
  var sum = 0.0;
  for (var i = slice * ${PER_SLICE}u; i < last; i++) {
    let difference = a[i] - b[i];
    sum += difference * difference;
  }
  part[slice] = sum * ${SCALE};
}
