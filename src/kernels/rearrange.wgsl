// Copy of a strided box of one tensor into a strided box of another: transposition, slices, padding, concatenation.
//
//   result[TO + Σ_k i_k·t_k] = source[FROM + Σ_k i_k·s_k]     for every index i of the box
//
// The compiler joins the axes that both tensors walk as one and writes the places of a row's start. Places are unsigned
// and wrap, so a negative step is its two's complement. Elements of any 4-byte type are copied as they are.
//
// bindings  source [any shape]   result [any shape], of which the box is written
// launch    one invocation copies ITEMS neighbours along the last axis (ROW long); BLOCKS invocations share a row

@group(0) @binding(0) var<storage, read_write> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${ROWS * BLOCKS}u) { return; }
  let row = number / ${BLOCKS}u;
  let first = (number % ${BLOCKS}u) * ${ITEMS}u;
  let start_from = ${FROM};
  let start_to = ${TO};
  #repeat t ITEMS
  #if ${ROW % ITEMS == 0}
  {
  #else
  if (first + ${t}u < ${ROW}u) {
  #endif
    let item = first + ${t}u;
    result[start_to + item * ${TO_STEP}] = source[start_from + item * ${FROM_STEP}];
  }
  #endrepeat
}
