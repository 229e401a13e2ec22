// Sums over the images of what a row program left for each plane:
//
//   result_k[c] = Σ_n shares[k,n,c]
//
// bindings  shares [SUMS, IMAGES, CHANNELS]   result0 … result(SUMS−1), each [CHANNELS]
// launch    one invocation a channel computes all its sums, each in the order of n

@group(0) @binding(0) var<storage, read_write> shares: array<f32>;
${BINDINGS}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = invocation_number(id, groups);
  if (c >= ${CHANNELS}u) { return; }
  #repeat k SUMS
  var total${k} = 0.0;
  #endrepeat
  for (var at = c; at < ${IMAGES * CHANNELS}u; at += ${CHANNELS}u) {
    #repeat k SUMS
    total${k} += shares[at + ${k * IMAGES * CHANNELS}u];
    #endrepeat
  }
  #repeat k SUMS
  result${k}[c] = total${k};
  #endrepeat
}
