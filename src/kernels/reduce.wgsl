// Reduction over one axis, in a fixed order, of a fused chain of elementwise operations:
//
//   result[o,s,i] = Σ_{r ∈ slice s} expression(o, r, i)      (or the maximum, if MAXIMUM)
//
// bindings  operand0 … operand(n−1), each of a shape that broadcasts to [OUTER, R, INNER]
//           result [OUTER, SLICES, INNER]
// launch    one invocation an element of the result, walking PER_SLICE neighbours along the axis, UNROLL at a time (which
//           divides every slice)

${BINDINGS}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let number = invocation_number(id, groups);
  if (number >= ${OUTER * SLICES * INNER}u) { return; }
  let inner = number % ${INNER}u;
  let slice = (number / ${INNER}u) % ${SLICES}u;
  let outer = number / ${INNER * SLICES}u;
${BASES}
  let last = min(${R}u, (slice + 1u) * ${PER_SLICE}u);
  #if ${MAXIMUM}
  var total = float_of_bits(0xff800000u);
  #else
  var total = 0.0;
  #endif
  for (var first = slice * ${PER_SLICE}u; first < last; first += ${UNROLL}u) {
    #repeat t UNROLL
    {
      let item = first + ${t}u;
${BODY}
      #if ${MAXIMUM}
      total = greater_of(${VALUE}, total);
      #else
      total += ${VALUE};
      #endif
    }
    #endrepeat
  }
  result[number] = total;
}
