// What one number of each invocation of a workgroup adds up to (or the greatest, if MAXIMUM), in a fixed order:
//
//   tree(a)[half] = tree(a[i] + a[i + half]),   half = WORKGROUP/2, WORKGROUP/4, … 1       (WORKGROUP is a power of two)
//
// Every invocation of the workgroup must call it, and is given the result.

var<workgroup> lanes: array<f32, ${WORKGROUP}>;

fn over_workgroup(local: u32, value: f32) -> f32 {
  lanes[local] = value;
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      #if ${MAXIMUM}
      lanes[local] = greater_of(lanes[local + half], lanes[local]);
      #else
      lanes[local] += lanes[local + half];
      #endif
    }
  }
  workgroupBarrier();
  let total = lanes[0];
  // The next call writes the lanes again.
  workgroupBarrier();
  return total;
}
