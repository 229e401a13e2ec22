/** Waits this short are spent polling: small dispatches answer within it. Milliseconds. */
const POLL_ONLY = 0.05;
/** Afterwards the thread sleeps for this share of the time waited so far, so that it adds little to it. */
const SHARE = 0.05;
const SHORTEST_SLEEP = 0.05;
const LONGEST_SLEEP = 1;

const neverNotified = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let since = 0;
let scheduled = false;

function sleepThenYield(): void {
  scheduled = false;
  if (waiting === 0) return;
  const waited = performance.now() - since;
  if (waited > POLL_ONLY) {
    Atomics.wait(neverNotified, 0, 0, Math.min(LONGEST_SLEEP, Math.max(SHORTEST_SLEEP, waited * SHARE)));
  }
  schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(sleepThenYield);
}

/**
 * Waits for a promise of Dawn's. Dawn's Node binding polls with `setImmediate` while anything is pending, which
 * keeps one core busy; a software device needs that core (on two cores the wait takes half as long again). So
 * each turn of the event loop sleeps for a moment, at most a millisecond. `work` must end by itself, or the turns go on
 * for ever: `Device` gives promises that do (`Waits`).
 */
export async function patientWait<T>(work: Promise<T>): Promise<T> {
  waiting += 1;
  since = performance.now();
  schedule();
  try {
    return await work;
  } finally {
    waiting -= 1;
  }
}
