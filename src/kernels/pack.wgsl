// Copies pieces side by side into one flat tensor and fills what lies between them with zeros:
//
//   result[offset_k + i] = piece_k[i] for 0 ≤ i < length_k,   0 elsewhere in [FIRST, LAST)
//
// bindings  piece0 … piece(n−1), each flat   result [TOTAL], of which [FIRST, LAST) is written
// launch    one invocation computes ITEMS neighbours of the range; every offset is a multiple of ITEMS, so that they lie in
//           one piece and the padding behind it

${BINDINGS}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  let first = ${FIRST}u + number * ${ITEMS}u;
  let last = min(${LAST}u, first + ${ITEMS}u);
  var i = first;
${BODY}
  for (; i < last; i++) { result[i] = 0.0; }
}
