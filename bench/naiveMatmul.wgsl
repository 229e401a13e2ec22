// y[m,n] = Σ_k a[m,k]·b[k,n]: what a matrix product is without any care for the machine.
// Bindings: a [M,K], b [K,N], y [M,N]. Launch: one invocation an element, workgroups of 8×8; side is M = K = N.
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let side = u32(sqrt(f32(arrayLength(&y))));
  if (id.x >= side || id.y >= side) { return; }
  var total = 0.0;
  for (var k = 0u; k < side; k++) { total += a[id.y * side + k] * b[k * side + id.x]; }
  y[id.y * side + id.x] = total;
}
