/** Which way a column's cells are pushed. */
export type Align = 'left' | 'right';

const GAP = '  ';

const widthOf = (rows: readonly (readonly string[])[], column: number): number =>
  Math.max(...rows.map((row) => row[column]!.length));

/** Rows in columns as wide as their widest cell; the first row is the heading. */
export function textTable(rows: readonly (readonly string[])[], aligns: readonly Align[]): string {
  const widths = aligns.map((_, column) => widthOf(rows, column));
  return rows
    .map((row) =>
      row
        .map((cell, k) => (aligns[k] === 'right' ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!)))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

/**
 * The same for lines of so many characters: a table that is wider comes in parts, a blank line between them, each with the first
 * column and as many of the others as fit, one at least.
 */
export function textTableWithin(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  characters: number,
): string {
  if (aligns.length < 2) return textTable(rows, aligns);
  const parts: number[][] = [];
  let used = 0;
  for (let column = 1; column < aligns.length; column += 1) {
    const width = GAP.length + widthOf(rows, column);
    if (parts.length === 0 || used + width > characters) {
      parts.push([0]);
      used = widthOf(rows, 0);
    }
    parts.at(-1)!.push(column);
    used += width;
  }
  return parts
    .map((columns) =>
      textTable(
        rows.map((row) => columns.map((column) => row[column]!)),
        columns.map((column) => aligns[column]!),
      ),
    )
    .join('\n\n');
}
