/** Seconds of a stage's work, also of what earlier processes did of it. */

/** Runs from when it is made. */
export interface Stopwatch {
  /** Seconds since the last lap, with those that were carried over. */
  readonly current: number;
  /** Seconds of all laps, and of what is running. */
  readonly total: number;
  /** Adds what an earlier process had worked when it kept itself. */
  carry(seconds: number): void;
  /** Begins to count: what lies between was no work. What was carried over stays. */
  restart(): void;
  /** Ends a lap, such as a part of the stage; its seconds. */
  lap(): number;
}

/** @param now milliseconds that never go back */
export function stopwatch(now: () => number = () => performance.now()): Stopwatch {
  let since = now();
  let carried = 0;
  let laps = 0;
  const current = (): number => carried + (now() - since) / 1000;
  return {
    get current() {
      return current();
    },
    get total() {
      return laps + current();
    },
    carry(seconds) {
      carried += seconds;
    },
    restart() {
      since = now();
    },
    lap() {
      const seconds = current();
      laps += seconds;
      carried = 0;
      since = now();
      return seconds;
    },
  };
}

/** Seconds as they are written: to the millisecond. */
export const roundSeconds = (seconds: number): number => Math.round(seconds * 1000) / 1000;
