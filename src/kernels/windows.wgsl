// What a convolution on tiles multiplies its weight (or cotangent) with: the image under one element of the window, for four
// neighbouring pixels of the output, 0 in the padding and beyond the extents.
//
//   window_quad(tap, pixel)[t] = x[n, c, i·SH+p−PH, j·SW+q−PW]     tap = (c·K + p)·L + q,   pixel + t = (n·HO + i)·WO + j
//
// pixel is a multiple of four. The file before it binds x [N, C, H, W].

fn pixel_of_row(at: i32, column: i32) -> f32 {
  if (column < 0 || column >= ${W}) { return 0.0; }
  return x[at];
}

fn window_quad(tap: u32, pixel: u32) -> vec4f {
  if (tap >= ${C * K * L}u || pixel >= ${N * HO * WO}u) { return vec4f(); }
  let c = tap / ${K * L}u;
  let p = (tap / ${L}u) % ${K}u;
  let q = tap % ${L}u;
  #if ${WO % 4 == 0}
  let row = i32(((pixel / ${WO}u) % ${HO}u) * ${SH}u + p) - ${PH};
  if (row < 0 || row >= ${H}) { return vec4f(); }
  let column = i32((pixel % ${WO}u) * ${SW}u + q) - ${PW};
  let at = i32(((pixel / ${HO * WO}u) * ${C}u + c) * ${H * W}u) + row * ${W} + column;
  return vec4f(
    #repeat t 4
    pixel_of_row(at + ${t * SW}, column + ${t * SW}),
    #endrepeat
  );
  #else
  var quad = vec4f();
  #repeat t 4
  {
    let number = pixel + ${t}u;
    let row = i32(((number / ${WO}u) % ${HO}u) * ${SH}u + p) - ${PH};
    let column = i32((number % ${WO}u) * ${SW}u + q) - ${PW};
    if (number < ${N * HO * WO}u && row >= 0 && row < ${H}) {
      quad[${t}] = pixel_of_row(i32(((number / ${HO * WO}u) * ${C}u + c) * ${H * W}u) + row * ${W} + column, column);
    }
  }
  #endrepeat
  return quad;
  #endif
}
