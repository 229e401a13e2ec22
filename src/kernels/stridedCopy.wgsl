// Copy of a strided view into a contiguous tensor of up to four axes:
//
//   result[i0,i1,i2,i3] = source[OFFSET + Σ_k i_k · STRIDE_k]
//
// bindings  source   result [D0, D1, D2, D3]
// launch    one invocation a row along the last axis

@group(0) @binding(0) var<storage, read_write> source: array<${TYPE}>;
@group(0) @binding(1) var<storage, read_write> result: array<${TYPE}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${D0 * D1 * D2}u) { return; }
  let i2 = number % ${D2}u;
  let i1 = (number / ${D2}u) % ${D1}u;
  let i0 = number / ${D2 * D1}u;
  let start = ${OFFSET}u + i0 * ${STRIDE0}u + i1 * ${STRIDE1}u + i2 * ${STRIDE2}u;
  for (var i3 = 0u; i3 < ${D3}u; i3++) { result[number * ${D3}u + i3] = source[start + i3 * ${STRIDE3}u]; }
}
