// Functions of one element that fused kernels may call where WGSL has none, or one that is too coarse or undefined for
// some arguments. Each is accurate to a few units in the last place of f32 wherever the result is not close to zero.
// Compilers may assume that no NaN occurs (x != x is then false), so NaN is told by its bits.

// For infinities and NaN, which WGSL has no literal for.
fn float_of_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// WGSL's log is undefined at 0 and below; some devices give −88 there.
fn natural_logarithm(x: f32) -> f32 {
  let outside = select(float_of_bits(0x7fc00000u), float_of_bits(0xff800000u), x == 0.0);
  return select(outside, log(x), x > 0.0);
}

// The greater of two numbers, NaN if one is.
fn greater_of(a: f32, b: f32) -> f32 {
  return select(b, a, a > b || is_nan(a));
}

fn lesser_of(a: f32, b: f32) -> f32 {
  return select(b, a, a < b || is_nan(a));
}

// exp(x) − 1; near 0, where the difference would cancel, by Taylor's series to x⁹.
fn exp_minus_one(x: f32) -> f32 {
  let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 *
    (1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0 * (1.0 + x / 9.0))))))));
  return select(exp(x) - 1.0, series, abs(x) < 0.5);
}

// log(1 + x); near 0 by 2·artanh(s) with s = x/(2 + x), to s¹¹.
fn log_one_plus(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let z = s * s;
  let series = 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z / 11.0)))));
  return select(natural_logarithm(1.0 + x), series, abs(x) < 0.4);
}

// WGSL's tanh may overflow; with m = exp(−2|x|) − 1, tanh |x| = −m/(2 + m) cannot.
fn hyperbolic_tangent(x: f32) -> f32 {
  let m = exp_minus_one(-2.0 * abs(x));
  let t = -m / (2.0 + m);
  return select(t, -t, x < 0.0);
}

// 1/(1 + exp(−x)) by exp(−|x|), which cannot overflow.
fn logistic(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)).
fn soft_plus(x: f32) -> f32 {
  return greater_of(x, 0.0) + log_one_plus(exp(-abs(x)));
}

// 2/√π ∫₀ˣ exp(−t²) dt. Up to 1 by Maclaurin's series Σ 2/√π (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)) to n = 10. Above by
// 1 − exp(−x²)·p(1/(1 + x/2)), where p interpolates exp(x²)·erfc(x) at the seven Chebyshev nodes of 1 ≤ x ≤ 4; the
// error is below 3e-9.
fn error_function(x: f32) -> f32 {
  let z = x * x;
  let near = x * (1.1283791671 + z * (-0.3761263890 + z * (0.1128379167 + z * (-0.0268661706 + z * (0.0052239776 +
    z * (-0.0008548327 + z * (0.0001205533 + z * (-1.4925650e-5 + z * (1.6462114e-6 + z * (-1.6365844e-7 +
    z * 1.4807193e-8))))))))));
  let t = 1.0 / (1.0 + 0.5 * abs(x));
  let p = 0.000605118391 + t * (0.2736343401 + t * (0.3307571337 + t * (0.1014954124 + t * (0.4034950533 +
    t * (-0.05706519996 - t * 0.05363042808)))));
  let far = 1.0 - exp(-z) * p;
  return select(near, select(far, -far, x < 0.0), abs(x) >= 1.0);
}

// sin(x + quarters·π/2). WGSL's sin and cos may be off by 2⁻¹¹. π/2 is taken off in three parts, of which the first two
// have so few bits that their multiples are exact for |x| < 50 000; beyond, digits are lost.
fn sine_after(x: f32, quarters: i32) -> f32 {
  let turns = round(x * 0.6366197724);
  let r = ((x - turns * 1.5703125) - turns * 4.8351287841796875e-4) - turns * 3.1391647865e-7;
  let z = r * r;
  let sine = r * (1.0 - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0 * (1.0 - z / 72.0))));
  let cosine = 1.0 - z / 2.0 * (1.0 - z / 12.0 * (1.0 - z / 30.0 * (1.0 - z / 56.0 * (1.0 - z / 90.0))));
  let quadrant = (i32(turns) + quarters) & 3;
  let value = select(sine, cosine, (quadrant & 1) == 1);
  return select(value, -value, quadrant >= 2);
}

// xʸ. WGSL's pow is undefined for x < 0 and for 0⁰: here whole powers of a negative base have their sign, other powers
// of it are NaN, and x⁰ = 1 for every x.
fn power(x: f32, y: f32) -> f32 {
  let is_whole = floor(y) == y;
  let is_odd = abs(y - 2.0 * floor(0.5 * y)) == 1.0;
  let size = pow(abs(x), y);
  let of_negative = select(float_of_bits(0x7fc00000u), select(size, -size, is_odd), is_whole);
  let of_zero = select(float_of_bits(0x7f800000u), 0.0, y > 0.0);
  let value = select(select(size, of_negative, x < 0.0), of_zero, x == 0.0);
  return select(select(value, float_of_bits(0x7fc00000u), is_nan(x) || is_nan(y)), 1.0, y == 0.0);
}
