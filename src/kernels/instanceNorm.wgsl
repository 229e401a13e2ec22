// The row statistics that instance normalisation and its derivatives are made of. A row is the R pixels of
// one channel of one image; mean, variance (biased) and the sums below run over a row:
//
//   STANDARDISE       x̂ = (x − mean x) · rstd(x),   rstd(x) = 1 / √(var x + EPSILON)
//   RECIPROCAL        rstd(x)
//   PROJECT           p = u − mean(u) − x̂ · mean(u · x̂)
//   MEAN_PRODUCT      m = mean(u · x̂)
//
// bindings  a [ROWS, R] (x, or u)   b [ROWS, R] (x̂; PROJECT and MEAN_PRODUCT only)
//           result [ROWS, R], or [ROWS] for RECIPROCAL and MEAN_PRODUCT
// launch    one invocation a row, UNROLL (a divisor of R) elements at a time. The variance is the mean
//           square of the centred row, not E x² − (E x)², which loses digits.

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
#if ${PROJECT || MEAN_PRODUCT}
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
#else
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = invocation_number(id, groups);
  if (row >= ${ROWS}u) { return; }
  let first = row * ${R}u;
  let last = first + ${R}u;

  #if ${STANDARDISE || RECIPROCAL}
  var total = 0.0;
  for (var i = first; i < last; i += ${UNROLL}u) {
    total = total
    #repeat t UNROLL
      + a[i + ${t}u]
    #endrepeat
    ;
  }
  let mean = total / ${R}.0;
  var squares = 0.0;
  for (var i = first; i < last; i += ${UNROLL}u) {
    #repeat t UNROLL
    let centred${t} = a[i + ${t}u] - mean;
    #endrepeat
    squares = squares
    #repeat t UNROLL
      + centred${t} * centred${t}
    #endrepeat
    ;
  }
  let rstd = 1.0 / sqrt(squares / ${R}.0 + ${EPSILON});
  #if ${STANDARDISE}
  for (var i = first; i < last; i += ${UNROLL}u) {
    #repeat t UNROLL
    result[i + ${t}u] = (a[i + ${t}u] - mean) * rstd;
    #endrepeat
  }
  #else
  result[row] = rstd;
  #endif
  #else
  var total = 0.0;
  var product = 0.0;
  for (var i = first; i < last; i += ${UNROLL}u) {
    #repeat t UNROLL
    let a${t} = a[i + ${t}u];
    #endrepeat
    total = total
    #repeat t UNROLL
      + a${t}
    #endrepeat
    ;
    product = product
    #repeat t UNROLL
      + a${t} * b[i + ${t}u]
    #endrepeat
    ;
  }
  let mean_product = product / ${R}.0;
  #if ${PROJECT}
  let mean = total / ${R}.0;
  for (var i = first; i < last; i += ${UNROLL}u) {
    #repeat t UNROLL
    result[i + ${t}u] = a[i + ${t}u] - mean - b[i + ${t}u] * mean_product;
    #endrepeat
  }
  #else
  result[row] = mean_product;
  #endif
  #endif
}
