// Matrix product with either operand transposed:
//
//   y[i,j] = Σ_k a[i,k] · b[k,j] (+ bias[j])        part[s,i,j]: the sum over slice s of k
//
// bindings  a [M, INNER], with TRANSPOSE_A [INNER, M]   b [INNER, COLUMNS], with TRANSPOSE_B [COLUMNS, INNER]
//           y [SLICES, M, COLUMNS]   bias [COLUMNS] (if BIAS; then SLICES = 1)
// launch    one invocation computes a block of ROW_BLOCK × COLUMN_BLOCK numbers of one slice in registers, STEP (a divisor of
//           INNER and of every slice) neighbours along k at a time, written out. PLACES neighbours (COLUMN_GROUPS, rounded
//           up) share their rows: with LANES > 1 (workgroups of that size) the lanes of a subgroup load different numbers of
//           a, and each tells its own to the others.

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#if ${BIAS}
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  #if ${LANES > 1}
  @builtin(subgroup_invocation_id) lane: u32,
  #endif
) {
  let number = invocation_number(id, groups);
  let works = number < ${ROW_GROUPS * PLACES * SLICES}u && number % ${PLACES}u < ${COLUMN_GROUPS}u;
  #if ${LANES == 1}
  if (!works) { return; }
  #endif
  // A lane without work stays, for the others need what it loads.
  let column = min(number % ${PLACES}u, ${COLUMN_GROUPS - 1}u) * ${COLUMN_BLOCK}u;
  let row = ((number / ${PLACES}u) % ${ROW_GROUPS}u) * ${ROW_BLOCK}u;
  let slice = min(number / ${PLACES * ROW_GROUPS}u, ${SLICES - 1}u);

  #repeat i ROW_BLOCK
  let row${i} = min(row + ${i}u, ${M - 1}u);
  #repeat j COLUMN_BLOCK
  var sum${i}_${j} = 0.0;
  #endrepeat
  #endrepeat
  #repeat j COLUMN_BLOCK
  let column${j} = min(column + ${j}u, ${COLUMNS - 1}u);
  #endrepeat
  #if ${LANES > 1}
  #repeat g (ROW_BLOCK * STEP + LANES - 1) / LANES
  let slot${g} = min(${g * LANES}u + lane, ${ROW_BLOCK * STEP - 1}u);
  let owner${g} = min(row + slot${g} / ${STEP}u, ${M - 1}u);
  #if ${TRANSPOSE_A}
  let offset${g} = (slot${g} % ${STEP}u) * ${M}u + owner${g};
  #else
  let offset${g} = owner${g} * ${INNER}u + slot${g} % ${STEP}u;
  #endif
  #endrepeat
  #endif

  let first = slice * ${INNER_PER_SLICE}u;
  let last = min(${INNER}u, first + ${INNER_PER_SLICE}u);
  for (var k = first; k < last; k += ${STEP}u) {
    #repeat j COLUMN_BLOCK
    #repeat t STEP
    #if ${TRANSPOSE_B}
    let b${t}_${j} = b[column${j} * ${INNER}u + k + ${t}u];
    #else
    let b${t}_${j} = b[(k + ${t}u) * ${COLUMNS}u + column${j}];
    #endif
    #endrepeat
    #endrepeat
    #if ${LANES > 1}
    #repeat g (ROW_BLOCK * STEP + LANES - 1) / LANES
    #if ${TRANSPOSE_A}
    let gathered${g} = a[offset${g} + k * ${M}u];
    #else
    let gathered${g} = a[offset${g} + k];
    #endif
    #endrepeat
    #endif
    #repeat i ROW_BLOCK
    #repeat t STEP
    #if ${LANES > 1}
    let a${i}_${t} = subgroupBroadcast(gathered${(i * STEP + t) / LANES}, ${(i * STEP + t) % LANES}u);
    #elif ${TRANSPOSE_A}
    let a${i}_${t} = a[(k + ${t}u) * ${M}u + row${i}];
    #else
    let a${i}_${t} = a[row${i} * ${INNER}u + k + ${t}u];
    #endif
    #endrepeat
    #repeat j COLUMN_BLOCK
    sum${i}_${j} = sum${i}_${j}
    #repeat t STEP
      + a${i}_${t} * b${t}_${j}
    #endrepeat
    ;
    #endrepeat
    #endrepeat
  }

  if (!works) { return; }
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
    if (column + ${j}u < ${COLUMNS}u) { y[to + column${j}] = sum${i}_${j} + shift${j}; }
    #endrepeat
  }
  #endrepeat
}
