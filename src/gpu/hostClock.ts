/**
 * What the host does for a device. `wait` is waiting for results, or for all work to be done; `compile` is waiting for
 * kernels to be made into pipelines.
 */
export type HostActivity = 'encode' | 'submit' | 'write' | 'wait' | 'compile';

/** A stretch of the host's time; milliseconds, the start since the recording's. */
export interface HostSpan {
  /** What it was spent on. */
  readonly activity: HostActivity;
  /** When it began. */
  readonly start: number;
  /** How long it took. */
  readonly duration: number;
}

/** Measures what the host spends. Times are milliseconds since it was made. */
export class HostClock {
  /** `performance.now()` when it was made. */
  readonly start = performance.now();
  readonly spans: HostSpan[] = [];
  readonly #waits = { wait: { open: 0, start: 0 }, compile: { open: 0, start: 0 } };

  now(): number {
    return performance.now() - this.start;
  }

  /** Runs `work` and notes how long it took. */
  measure<T>(activity: HostActivity, work: () => T): T {
    const start = this.now();
    try {
      return work();
    } finally {
      this.spans.push({ activity, start, duration: this.now() - start });
    }
  }

  /** The same for waiting. Waits of one kind that overlap are one span, so that their sum is no longer than the time that passed. */
  async measureWait<T>(activity: 'wait' | 'compile', work: () => Promise<T>): Promise<T> {
    const waits = this.#waits[activity];
    if (waits.open++ === 0) waits.start = this.now();
    try {
      return await work();
    } finally {
      if (--waits.open === 0) {
        this.spans.push({ activity, start: waits.start, duration: this.now() - waits.start });
      }
    }
  }
}
