// One value everywhere, for what a kernel that follows writes only in part:
//
//   result[i] = VALUE
//
// bindings  result [COUNT] of TYPE
// launch    one invocation writes ITEMS neighbours

@group(0) @binding(0) var<storage, read_write> result: array<${TYPE}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = invocation_number(id, groups) * ${ITEMS}u;
  let last = min(${COUNT}u, first + ${ITEMS}u);
  for (var i = first; i < last; i++) { result[i] = ${TYPE}(${VALUE}); }
}
