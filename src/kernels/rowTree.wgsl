// What one number of each invocation of a workgroup adds up to (or the greatest, if MAXIMUM), in a fixed order:
//
//   tree(a)[half] = tree(a[i] + a[i + half]),   half = WORKGROUP/2, WORKGROUP/4, … 1       (WORKGROUP is a power of two)
//
// With LANES > 1, a power of two up to WORKGROUP, the last LANES numbers are put together by the lanes of a subgroup, without
// memory and barriers: every subgroup does so for itself, in the same order, so that the bits are the same.
//
// Every invocation of the workgroup must call it, and is given the result. LANE is the invocation's place in its subgroup.

var<workgroup> numbers: array<f32, ${WORKGROUP}>;

#if ${MAXIMUM}
fn together(lower: f32, upper: f32) -> f32 { return greater_of(upper, lower); }
#else
fn together(lower: f32, upper: f32) -> f32 { return lower + upper; }
#endif

fn over_workgroup(local: u32, lane: u32, value: f32) -> f32 {
  numbers[local] = value;
  for (var half = ${WORKGROUP / 2}u; half >= ${LANES}u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { numbers[local] = together(numbers[local], numbers[local + half]); }
  }
  workgroupBarrier();
  #if ${LANES > 1}
  var total = numbers[lane];
  for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {
    total = together(total, subgroupShuffleDown(total, half));
  }
  total = subgroupBroadcastFirst(total);
  #else
  let total = numbers[0];
  #endif
  // The next call writes the numbers again.
  workgroupBarrier();
  return total;
}
