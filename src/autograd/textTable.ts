/** Which way a column's cells are pushed. */
export type Align = 'left' | 'right';

/** Rows in columns as wide as their widest cell; the first row is the heading. */
export function textTable(rows: readonly (readonly string[])[], aligns: readonly Align[]): string {
  const widths = aligns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, k) => (aligns[k] === 'right' ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
