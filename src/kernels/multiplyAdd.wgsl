// Multiplications and additions that stay in registers, to measure how fast a device calculates:
//
//   x[c] ← x[c] · factor + summand,  ROUNDS · UNROLL times for each of CHAINS numbers;   result[n] = Σ_c x[c]
//
// bindings  settings [2]: factor, summand   result [INVOCATIONS]
// launch    one invocation an element of the result; its CHAINS numbers do not wait for each other

@group(0) @binding(0) var<storage, read_write> settings: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${INVOCATIONS}u) { return; }
  let factor = settings[0];
  let summand = settings[1];
  #repeat c CHAINS
  var x${c} = f32(number + ${c}u);
  #endrepeat
  for (var round = 0u; round < ${ROUNDS}u; round++) {
    #repeat t UNROLL
    #repeat c CHAINS
    x${c} = x${c} * factor + summand;
    #endrepeat
    #endrepeat
  }
  result[number] = 0.0
  #repeat c CHAINS
    + x${c}
  #endrepeat
  ;
}
