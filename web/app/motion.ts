/** What moves, for visitors who asked their system for less of it. */

/** Milliseconds between two pictures for those who want less motion. */
export const CALM = 1000;

/** Whether the visitor wants less motion, now. */
export const isCalm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
