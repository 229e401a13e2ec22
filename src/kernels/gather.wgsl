// Rows of a table by number, and the sum of rows back into it:
//
//   GATHER        result[b,:] = table[index[b],:]
//   SCATTER_ADD   table[k,:] += Σ_{b: index[b] = k} rows[b,:]     in the order of b
//
// An index may occur more than once. A scatter therefore runs over the table's rows and searches the index list, so
// that no two invocations write one number and the order of the sum is fixed.
//
// bindings  GATHER: table [TABLE_ROWS, ROW]   index [B] (i32)   result [B, ROW]
//           SCATTER_ADD: rows [B, ROW]   index [B] (i32)   table [TABLE_ROWS, ROW], changed in place
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
  if (row >= ${TABLE_ROWS}u) { return; }
  for (var b = 0u; b < ${B}u; b++) {
    if (u32(index[b]) == row) {
      for (var item = first; item < last; item++) { result[row * ${ROW}u + item] += source[b * ${ROW}u + item]; }
    }
  }
  #else
  if (row >= ${B}u) { return; }
  let start = u32(clamp(index[row], 0, ${TABLE_ROWS - 1})) * ${ROW}u;
  for (var item = first; item < last; item++) { result[row * ${ROW}u + item] = source[start + item]; }
  #endif
}
