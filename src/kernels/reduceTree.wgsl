// Reduction over the last axis, in a fixed order, of a fused chain of elementwise operations, for long rows:
//
//   result[o,s] = Σ_{r ∈ slice s} expression(o, r)      (or the maximum, if MAXIMUM)
//
// bindings  operand0 … operand(n−1), each of a shape that broadcasts to [OUTER, R]   result [OUTER, SLICES]
// launch    one workgroup an element of the result: each invocation walks every WORKGROUP-th of PER_SLICE neighbours, so that
//           the workgroup reads memory in order; their totals are put together by rowTree.wgsl

${BINDINGS}
@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(local_invocation_index) local: u32,
  #if ${LANES > 1}
  @builtin(subgroup_invocation_id) lane: u32,
  #endif
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let number = workgroup_number(group, groups);
  if (number >= ${OUTER * SLICES}u) { return; }
  let inner = 0u;
  let slice = number % ${SLICES}u;
  let outer = number / ${SLICES}u;
${BASES}
  let last = min(${R}u, (slice + 1u) * ${PER_SLICE}u);
  #if ${MAXIMUM}
  var total = float_of_bits(0xff800000u);
  #else
  var total = 0.0;
  #endif
  for (var item = slice * ${PER_SLICE}u + local; item < last; item += ${WORKGROUP}u) {
${BODY}
    #if ${MAXIMUM}
    total = greater_of(${VALUE}, total);
    #else
    total += ${VALUE};
    #endif
  }
  let whole = over_workgroup(local, ${LANE}, total);
  if (local == 0u) { result[number] = whole; }
}
