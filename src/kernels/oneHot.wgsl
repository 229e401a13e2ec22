// Table of labels: 1 at each row's label, 0 elsewhere.
//
//   result[b,j] = 1 if label[b] = j, else 0
//
// bindings  label [B] (i32)   result [B, CLASSES]
// launch    one invocation a row

@group(0) @binding(0) var<storage, read_write> label: array<i32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = invocation_number(id, groups);
  if (row >= ${B}u) { return; }
  for (var j = 0; j < ${CLASSES}; j++) {
    result[row * ${CLASSES}u + u32(j)] = select(0.0, 1.0, label[row] == j);
  }
}
