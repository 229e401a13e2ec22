// Random numbers of a stream, four to a block of Philox. UNIFORM draws the numbers of `uniform` in philox.ts; NORMAL spends
// 24 bits on a word, where `normal` there spends 32, so its numbers are others (autograd/ops/random.ts has them on the host).
//
//   UNIFORM   result[4n + k] = (words_k(n) >> 8) · 2⁻²⁴
//   NORMAL    result[4n + k] = the k-th normal number of block n (Box–Muller, philox.wgsl)
//   MASK      result[4n + k] = KEPT where (words_k(n) >> 8) ≥ THRESHOLD, else 0
//
// bindings  stream [4] (i32)   result [COUNT]
//           stream holds index low, seed high, seed low and the purpose's hash
// launch    one invocation computes four neighbours

@group(0) @binding(0) var<storage, read_write> stream: array<i32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let block = invocation_number(id, groups);
  let first = block * 4u;
  if (first >= ${COUNT}u) { return; }
  let counter = vec4u(block, u32(stream[0]), u32(stream[1]), 0u);
  let words = philox4x32(counter, vec2u(u32(stream[2]), u32(stream[3])));
  #if ${NORMAL}
  let numbers = philoxNormals(words);
  #elif ${MASK}
  let numbers = select(vec4f(0.0), vec4f(${KEPT}), (words >> vec4u(8u)) >= vec4u(${THRESHOLD}u));
  #else
  let numbers = vec4f(philoxUniform(words.x), philoxUniform(words.y), philoxUniform(words.z), philoxUniform(words.w));
  #endif
  #repeat k 4
  if (first + ${k}u < ${COUNT}u) { result[first + ${k}u] = numbers[${k}]; }
  #endrepeat
}
