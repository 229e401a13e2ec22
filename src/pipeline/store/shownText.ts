/** Texts from files, as messages quote them. */

const LONGEST = 80;

/** A text, cut where it is long: a message is to be read. */
export const shown = (text: string, longest = LONGEST): string =>
  text.length > longest ? `${text.slice(0, longest - 1)}…` : text;

/** Extents as messages show them. */
export const shownShape = (shape: readonly number[]): string =>
  `[${shown(shape.slice(0, LONGEST).join(', '))}]`;
