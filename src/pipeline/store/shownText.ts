/** Texts from files, as messages quote them. */

const LONGEST = 80;

/** A text, cut where it is long: a message is to be read. */
export const shown = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;

/** Extents as messages show them. */
export const shownShape = (shape: readonly number[]): string =>
  `[${shown(shape.slice(0, LONGEST).join(', '))}]`;
