// The part that all products on tiles share: one workgroup computes TILE_ROWS × TILE_COLUMNS sums of one slice of the
// inner axis,
//
//   sum[i,j] = Σ_{k ∈ slice} left(i, k) · right(k, j)
//
// The file before it says what left and right are, with 0 beyond their extents, four numbers at a time:
//
//   left_quad(k, i)    left(i, k … k+3) if LEFT_ALONG_INNER, else left(i … i+3, k)
//   right_quad(k, j)   right(k … k+3, j) if RIGHT_ALONG_INNER, else right(k, j … j+3)
//   store(slice, i, j, sums)   takes sum[i, j … j+3], of which those beyond the extents are to be left out
//
// launch    one workgroup a tile and slice. TILE_INNER columns of left and rows of right are brought into workgroup memory,
//           quads along the rows or columns (and one quad of padding a line, against bank conflicts); each invocation
//           multiplies BLOCK_ROWS × BLOCK_COLUMNS of them in registers, in quads that lie a tile's share apart. Every
//           sum goes along k in order.

var<workgroup> left_tile: array<vec4f, ${TILE_INNER * (TILE_ROWS / 4 + 1)}>;
var<workgroup> right_tile: array<vec4f, ${TILE_INNER * (TILE_COLUMNS / 4 + 1)}>;

@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let number = workgroup_number(group, groups);
  if (number >= ${ROW_TILES * COLUMN_TILES * SLICES}u) { return; }
  let first_row = (number % ${ROW_TILES}u) * ${TILE_ROWS}u;
  let first_column = ((number / ${ROW_TILES}u) % ${COLUMN_TILES}u) * ${TILE_COLUMNS}u;
  let slice = number / ${ROW_TILES * COLUMN_TILES}u;
  let column_quad = local % ${TILE_COLUMNS / BLOCK_COLUMNS}u;
  let row_quad = local / ${TILE_COLUMNS / BLOCK_COLUMNS}u;

  #repeat i BLOCK_ROWS
  #repeat c BLOCK_COLUMNS / 4
  var sum${i}_${c} = vec4f();
  #endrepeat
  #endrepeat

  let last = min(${INNER}u, (slice + 1u) * ${INNER_PER_SLICE}u);
  for (var first = slice * ${INNER_PER_SLICE}u; first < last; first += ${TILE_INNER}u) {
    #if ${LEFT_ALONG_INNER}
    for (var item = local; item < ${TILE_INNER / 4 * TILE_ROWS / 4}u; item += ${WORKGROUP}u) {
      let k = (item % ${TILE_INNER / 4}u) * 4u;
      let quad = item / ${TILE_INNER / 4}u;
      let row = first_row + quad * 4u;
      let block = transpose(mat4x4f(
        #repeat t 4
        left_quad(first + k, row + ${t}u),
        #endrepeat
      ));
      #repeat t 4
      left_tile[(k + ${t}u) * ${TILE_ROWS / 4 + 1}u + quad] = block[${t}];
      #endrepeat
    }
    #else
    for (var item = local; item < ${TILE_INNER * TILE_ROWS / 4}u; item += ${WORKGROUP}u) {
      let quad = item % ${TILE_ROWS / 4}u;
      let k = item / ${TILE_ROWS / 4}u;
      left_tile[k * ${TILE_ROWS / 4 + 1}u + quad] = left_quad(first + k, first_row + quad * 4u);
    }
    #endif
    #if ${RIGHT_ALONG_INNER}
    for (var item = local; item < ${TILE_INNER / 4 * TILE_COLUMNS / 4}u; item += ${WORKGROUP}u) {
      let k = (item % ${TILE_INNER / 4}u) * 4u;
      let quad = item / ${TILE_INNER / 4}u;
      let column = first_column + quad * 4u;
      let block = transpose(mat4x4f(
        #repeat t 4
        right_quad(first + k, column + ${t}u),
        #endrepeat
      ));
      #repeat t 4
      right_tile[(k + ${t}u) * ${TILE_COLUMNS / 4 + 1}u + quad] = block[${t}];
      #endrepeat
    }
    #else
    for (var item = local; item < ${TILE_INNER * TILE_COLUMNS / 4}u; item += ${WORKGROUP}u) {
      let quad = item % ${TILE_COLUMNS / 4}u;
      let k = item / ${TILE_COLUMNS / 4}u;
      right_tile[k * ${TILE_COLUMNS / 4 + 1}u + quad] = right_quad(first + k, first_column + quad * 4u);
    }
    #endif
    workgroupBarrier();
    for (var k = 0u; k < ${TILE_INNER}u; k++) {
      #repeat c BLOCK_COLUMNS / 4
      let right${c} = right_tile[k * ${TILE_COLUMNS / 4 + 1}u + column_quad + ${c * TILE_COLUMNS / BLOCK_COLUMNS}u];
      #endrepeat
      #repeat r BLOCK_ROWS / 4
      let left${r} = left_tile[k * ${TILE_ROWS / 4 + 1}u + row_quad + ${r * TILE_ROWS / BLOCK_ROWS}u];
      #repeat t 4
      #repeat c BLOCK_COLUMNS / 4
      sum${4 * r + t}_${c} += left${r}[${t}] * right${c};
      #endrepeat
      #endrepeat
      #endrepeat
    }
    workgroupBarrier();
  }

  #repeat r BLOCK_ROWS / 4
  #repeat t 4
  {
    let row = first_row + (row_quad + ${r * TILE_ROWS / BLOCK_ROWS}u) * 4u + ${t}u;
    #repeat c BLOCK_COLUMNS / 4
    let column${c} = first_column + (column_quad + ${c * TILE_COLUMNS / BLOCK_COLUMNS}u) * 4u;
    if (row < ${ROWS}u && column${c} < ${COLUMNS}u) { store(slice, row, column${c}, sum${4 * r + t}_${c}); }
    #endrepeat
  }
  #endrepeat
  #endrepeat
}
