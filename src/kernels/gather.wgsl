// Rows of a table by number along one axis, and the sum of rows back into it:
//
//   GATHER        result[o,b,:] = table[o,index[b],:]                     0 where index[b] is outside 0…TABLE_ROWS−1
//   SCATTER_ADD   table[o,k,:] += Σ_{b: index[b] = k} rows[o,b,:]         in the order of b
//
// An index may occur more than once. A scatter therefore runs over the table's rows and searches the index list, so
// that no two invocations write one number and the order of the sum is fixed.
//
// bindings  GATHER: table [OUTER, TABLE_ROWS, ROW]   index [B] (i32)   result [OUTER, B, ROW]
//           SCATTER_ADD: rows [OUTER, B, ROW]   index [B] (i32)   table [OUTER, TABLE_ROWS, ROW], changed in place
// launch    one invocation computes ITEMS neighbours of one row; BLOCKS invocations share a row

@group(0) @binding(0) var<storage, read_write> source: array<${TYPE}>;
@group(0) @binding(1) var<storage, read_write> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<${TYPE}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  let row = number / ${BLOCKS}u;
  let first = (number % ${BLOCKS}u) * ${ITEMS}u;
  let last = min(${ROW}u, first + ${ITEMS}u);
  #if ${SCATTER_ADD}
  if (row >= ${OUTER * TABLE_ROWS}u) { return; }
  let outer = (row / ${TABLE_ROWS}u) * ${B}u;
  let wanted = i32(row % ${TABLE_ROWS}u);
  for (var b = 0u; b < ${B}u; b++) {
    if (index[b] == wanted) {
      let start = (outer + b) * ${ROW}u;
      for (var item = first; item < last; item++) { result[row * ${ROW}u + item] += source[start + item]; }
    }
  }
  #else
  if (row >= ${OUTER * B}u) { return; }
  let chosen = index[row % ${B}u];
  if (chosen < 0 || chosen >= ${TABLE_ROWS}) {
    for (var item = first; item < last; item++) { result[row * ${ROW}u + item] = ${TYPE}(0); }
    return;
  }
  let start = ((row / ${B}u) * ${TABLE_ROWS}u + u32(chosen)) * ${ROW}u;
  for (var item = first; item < last; item++) { result[row * ${ROW}u + item] = source[start + item]; }
  #endif
}
