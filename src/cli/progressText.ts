/** How far work is, in words, for the terminal. */
import type { StageView } from '../pipeline/watch/snapshot.js';

/** Elsewhere than on a screen, what runs says something at most so often. */
export const LINE_INTERVAL_MILLISECONDS = 10_000;

/** Whether lines on a stream can be drawn over. */
export const isScreen = ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
  isTTY === true && process.env.TERM !== 'dumb';

/** Four significant digits. */
export const fourDigits = (value: number): string => String(Number(value.toPrecision(4)));

/** Steps a second, two digits of them at least. */
export function rate(perSecond: number): string {
  return perSecond >= 10 ? perSecond.toFixed(0) : String(Number(perSecond.toPrecision(2)));
}

/** Seconds that are left in words, no finer than they can be told. */
export function remaining(seconds: number): string {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How far a stage is; null is what is not known. */
export type StageProgress = Pick<StageView, 'done' | 'total' | 'unit' | 'loss' | 'perSecond' | 'secondsLeft'>;

/** "120/200 iterations, loss 0.52, 1.4/s, 57 s left", as far as it is known. */
export function progressText({ done, total, unit, loss, perSecond, secondsLeft }: StageProgress): string {
  const parts: string[] = [];
  if (done !== null) parts.push(`${total === null ? done : `${done}/${total}`} ${unit}`);
  if (loss !== null) parts.push(`loss ${fourDigits(loss)}`);
  if (perSecond !== null && perSecond > 0) parts.push(`${rate(perSecond)}/s`);
  if (secondsLeft !== null && secondsLeft > 0)
    parts.push(`${remaining(Math.max(1, Math.round(secondsLeft)))} left`);
  return parts.join(', ');
}
