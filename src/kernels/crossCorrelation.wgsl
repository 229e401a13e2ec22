// The Barlow Twins cross-correlation matrix of two views' representations (MKDT eq. 2):
//
//   F[i,j] = (1 / B) Σ_b z1[b,i] · z2[b,j]
//
// bindings  z1 [B, D1]   z2 [B, D2]   f [D1, D2]
// launch    one invocation computes a ROW_BLOCK × COLUMN_BLOCK block of F; both operands are read along
//           their rows, so neighbouring invocations read neighbouring numbers

@group(0) @binding(0) var<storage, read_write> z1: array<f32>;
@group(0) @binding(1) var<storage, read_write> z2: array<f32>;
@group(0) @binding(2) var<storage, read_write> f: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${ROW_GROUPS * COLUMN_GROUPS}u) { return; }
  let j = (number % ${COLUMN_GROUPS}u) * ${COLUMN_BLOCK}u;
  let i = (number / ${COLUMN_GROUPS}u) * ${ROW_BLOCK}u;
  #repeat r ROW_BLOCK
  let i${r} = min(i + ${r}u, ${D1 - 1}u);
  #repeat s COLUMN_BLOCK
  var sum${r}_${s} = 0.0;
  #endrepeat
  #endrepeat
  #repeat s COLUMN_BLOCK
  let j${s} = min(j + ${s}u, ${D2 - 1}u);
  #endrepeat
  for (var b = 0u; b < ${B}u; b++) {
    #repeat s COLUMN_BLOCK
    let right${s} = z2[b * ${D2}u + j${s}];
    #endrepeat
    #repeat r ROW_BLOCK
    let left${r} = z1[b * ${D1}u + i${r}];
    #repeat s COLUMN_BLOCK
    sum${r}_${s} += left${r} * right${s};
    #endrepeat
    #endrepeat
  }
  #repeat r ROW_BLOCK
  if (i + ${r}u < ${D1}u) {
    #repeat s COLUMN_BLOCK
    if (j + ${s}u < ${D2}u) { f[i${r} * ${D2}u + j${s}] = sum${r}_${s} / ${B}.0; }
    #endrepeat
  }
  #endrepeat
}
