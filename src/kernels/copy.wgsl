// Copy of a range that no binding can start at, or that a kernel is about to change:
//
//   result[i] = source[OFFSET + i]
//
// Elements of any 4-byte type are copied as they are.
//
// bindings  source [at least OFFSET + COUNT]   result [COUNT]
// launch    one invocation copies ITEMS neighbours

@group(0) @binding(0) var<storage, read_write> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = invocation_number(id, groups) * ${ITEMS}u;
  let last = min(${COUNT}u, first + ${ITEMS}u);
  for (var i = first; i < last; i++) { result[i] = source[${OFFSET}u + i]; }
}
