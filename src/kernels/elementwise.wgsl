// A chain of elementwise operations, fused into one pass:
//
//   result[i] = expression(operand0[i], operand1[i], …)
//
// The compiler writes the expression from the table of elementwise operations, and each operand's place from its
// strides under broadcasting (a stride of 0 along a broadcast axis).
//
// bindings  operand0 … operand(n−1), each of a shape that broadcasts to result's   result [COUNT]
// launch    one invocation computes ITEMS neighbours along the last axis (ROW long), so that the place in the outer
//           axes is worked out once, and an operand that is constant along the row is read once; BLOCKS invocations
//           share a row

${BINDINGS}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${COUNT / ROW * BLOCKS}u) { return; }
  let row = number / ${BLOCKS}u;
  let first = (number % ${BLOCKS}u) * ${ITEMS}u;
${BASES}
  #repeat t ITEMS
  #if ${ROW % ITEMS == 0}
  {
  #else
  if (first + ${t}u < ${ROW}u) {
  #endif
    let item = first + ${t}u;
${BODY}
    result[row * ${ROW}u + item] = ${VALUE};
  }
  #endrepeat
}
