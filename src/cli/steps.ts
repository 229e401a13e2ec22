/** Work in a known number of steps that differ in length: what is under way, and about how long the rest takes. */
import { remaining } from './progressText.js';

/**
 * Counts steps: call what it gives at each one's start. From the second on it says how long the rest takes, were it like what is
 * done.
 * @param now milliseconds
 */
export function countSteps(
  total: number,
  say: (text: string) => void,
  now: () => number = () => performance.now(),
): (what: string) => void {
  const start = now();
  let begun = 0;
  return (what) => {
    const seconds = (now() - start) / 1000;
    const rest = begun > 0 ? `, about ${remaining((seconds / begun) * (total - begun))} left` : '';
    begun += 1;
    say(`${what} (${begun} of ${total}${rest})`);
  };
}
