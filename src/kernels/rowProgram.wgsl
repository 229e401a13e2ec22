// A chain of operations that are local to a plane (n, c) of tensors [N,C,…], in one pass:
//
//   result0[n,c,…], result1[n,c,…], … = program(operand0[n,c,…], operand1[n,c,…], …)
//
// The compiler writes the program from the operations' definitions: phases, each a loop over the plane, between which the
// sums over the plane are completed. A value that is needed in one phase only, or costs less to repeat than to load, has
// no memory. Sums over the images are left as the share of each plane.
//
// bindings  operands, each of a shape that broadcasts to [N,C,…] or to its windows   results of the same shapes, or [N,C]
//           shares [sums, N, C], where there are sums over the images
// launch    one invocation a plane (ROWS = N·C)

${BINDINGS}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let plane = invocation_number(id, groups);
  if (plane >= ${ROWS}u) { return; }
${BODY}
}
