// One element of each line of a table by number, and the sum of elements back into it:
//
//   TAKE   result[o,b,i] = table[o,index[o,b,i],i]                         0 where the index is outside 0…TABLE_ROWS−1
//   ADD    table[o,k,i] += Σ_{b: index[o,b,i] = k} source[o,b,i]           in the order of b
//
// An index may occur more than once in a line. A sum therefore runs over the table and searches the line's indices, so
// that no two invocations write one number and the order is fixed.
//
// bindings  TAKE: table [OUTER, TABLE_ROWS, INNER]   index [OUTER, B, INNER] (i32)   result [OUTER, B, INNER]
//           ADD: source [OUTER, B, INNER]   index [OUTER, B, INNER] (i32)   table [OUTER, TABLE_ROWS, INNER], changed in place
// launch    one invocation computes one element of the result (TAKE) or of the table (ADD)

@group(0) @binding(0) var<storage, read_write> source: array<${TYPE}>;
@group(0) @binding(1) var<storage, read_write> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<${TYPE}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  let inner = number % ${INNER}u;
  #if ${ADD}
  if (number >= ${OUTER * TABLE_ROWS * INNER}u) { return; }
  let wanted = i32((number / ${INNER}u) % ${TABLE_ROWS}u);
  let line = number / ${TABLE_ROWS * INNER}u * ${B * INNER}u + inner;
  var total = result[number];
  for (var b = 0u; b < ${B}u; b++) {
    if (index[line + b * ${INNER}u] == wanted) { total += source[line + b * ${INNER}u]; }
  }
  result[number] = total;
  #else
  if (number >= ${OUTER * B * INNER}u) { return; }
  let chosen = index[number];
  var value = ${TYPE}(0);
  if (chosen >= 0 && chosen < ${TABLE_ROWS}) {
    value = source[(number / ${B * INNER}u * ${TABLE_ROWS}u + u32(chosen)) * ${INNER}u + inner];
  }
  result[number] = value;
  #endif
}
