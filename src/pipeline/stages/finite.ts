import { HypergradError } from '../../errors.js';

/** Stops a run where a watched number is no number any more. */
export function requireFinite(value: number, what: string, remedy: string): void {
  if (!Number.isFinite(value)) {
    throw new HypergradError(`Training diverged: ${what} is ${value}. ${remedy}`);
  }
}
