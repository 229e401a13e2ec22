// A copy as wide as a device moves numbers, to measure how fast it reaches its memory:
//
//   result[i] = source[i]
//
// bindings  source [COUNT] of vec4   result [COUNT] of vec4
// launch    one invocation copies ITEMS (a divisor of COUNT) neighbours

@group(0) @binding(0) var<storage, read_write> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = invocation_number(id, groups) * ${ITEMS}u;
  if (first >= ${COUNT}u) { return; }
  #repeat t ITEMS
  result[first + ${t}u] = source[first + ${t}u];
  #endrepeat
}
