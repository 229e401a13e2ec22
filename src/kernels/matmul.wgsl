// Matrix product with either operand transposed, scaled:
//
//   y[i,j] = SCALE · Σ_k a[i,k] · b[k,j] (+ bias[j])        part[s,i,j]: the sum over slice s of k
//
// bindings  a [M, INNER], with TRANSPOSE_A [INNER, M]   b [INNER, COLUMNS], with TRANSPOSE_B [COLUMNS, INNER]
//           y [SLICES, M, COLUMNS]   bias [COLUMNS] (if BIAS; then SLICES = 1)
// launch    one invocation computes a block of ROW_BLOCK × COLUMN_BLOCK numbers of one slice in registers

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${ROW_GROUPS * COLUMN_GROUPS * SLICES}u) { return; }
  let column = (number % ${COLUMN_GROUPS}u) * ${COLUMN_BLOCK}u;
  let row = ((number / ${COLUMN_GROUPS}u) % ${ROW_GROUPS}u) * ${ROW_BLOCK}u;
  let slice = number / ${COLUMN_GROUPS * ROW_GROUPS}u;

  #repeat i ROW_BLOCK
  let row${i} = min(row + ${i}u, ${M - 1}u);
  #repeat j COLUMN_BLOCK
  var sum${i}_${j} = 0.0;
  #endrepeat
  #endrepeat
  #repeat j COLUMN_BLOCK
  let column${j} = min(column + ${j}u, ${COLUMNS - 1}u);
  #endrepeat

  let last = min(${INNER}u, (slice + 1u) * ${INNER_PER_SLICE}u);
  for (var k = slice * ${INNER_PER_SLICE}u; k < last; k++) {
    #repeat j COLUMN_BLOCK
    #if ${TRANSPOSE_B}
    let b${j} = b[column${j} * ${INNER}u + k];
    #else
    let b${j} = b[k * ${COLUMNS}u + column${j}];
    #endif
    #endrepeat
    #repeat i ROW_BLOCK
    #if ${TRANSPOSE_A}
    let a${i} = a[k * ${M}u + row${i}];
    #else
    let a${i} = a[row${i} * ${INNER}u + k];
    #endif
    #repeat j COLUMN_BLOCK
    sum${i}_${j} += a${i} * b${j};
    #endrepeat
    #endrepeat
  }

  #repeat j COLUMN_BLOCK
  #if ${BIAS}
  let shift${j} = bias[column${j}];
  #else
  let shift${j} = 0.0;
  #endif
  #endrepeat
  #repeat i ROW_BLOCK
  if (row + ${i}u < ${M}u) {
    let to = (slice * ${M}u + row${i}) * ${COLUMNS}u;
    #repeat j COLUMN_BLOCK
    if (column + ${j}u < ${COLUMNS}u) { y[to + column${j}] = ${SCALE} * sum${i}_${j} + shift${j}; }
    #endrepeat
  }
  #endrepeat
}
