/** Lists without repetitions. */

/** Each value once, in the order in which they first come. */
export const distinct = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];

/** The shares of labels that occur, the smallest first. */
export const labelShares = (rows: readonly { readonly labels: number }[]): number[] =>
  distinct(rows.map(({ labels }) => labels)).sort((a, b) => a - b);
