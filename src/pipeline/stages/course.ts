/**
 * Training through epochs, a few steps at a time. Between them the device is waited for, so that the training can be kept or
 * stopped there; how many steps that is depends on how long they take, and changes no bit.
 */

/** The step that comes next: `step` of `epoch`, both from 0. */
export interface Place {
  readonly epoch: number;
  readonly step: number;
}

/** Milliseconds between two waits that are worth it, and that Ctrl-C may take. */
const SHORT_WAIT = 100;
const LONG_WAIT = 400;

/** A training of some epochs. */
export interface Course {
  readonly epochs: number;
  /** The rows of every step of an epoch. */
  batches(epoch: number): readonly Int32Array[];
  /** Submits steps, the first of which is `place`. */
  submit(batches: readonly Int32Array[], place: Place): Promise<void>;
  /** Waits for all that was submitted. */
  wait(): Promise<unknown>;
  /** An epoch is submitted whole; waits for the device. Without it the course runs on into the next one. */
  onEpoch?(epoch: number): Promise<void>;
  /** The device is done with all before `next`. */
  reached?(next: Place): Promise<void>;
}

/** Follows a course from a place to its end. What was submitted last is not waited for, unless `onEpoch` does. */
export async function follow(course: Course, from: Place = { epoch: 0, step: 0 }): Promise<void> {
  let allowed = 1;
  let submitted = 0;
  let since = performance.now();
  const restart = (): void => {
    submitted = 0;
    since = performance.now();
  };
  const wait = async (): Promise<void> => {
    await course.wait();
    const took = performance.now() - since;
    if (took < SHORT_WAIT) allowed *= 2;
    else if (took > LONG_WAIT) allowed = Math.max(1, Math.floor(allowed / 2));
  };
  let { step } = from;
  for (let { epoch } = from; epoch < course.epochs; epoch++) {
    const batches = course.batches(epoch);
    const isLast = epoch + 1 === course.epochs;
    while (step < batches.length) {
      const taken = batches.slice(step, step + allowed - submitted);
      await course.submit(taken, { epoch, step });
      step += taken.length;
      submitted += taken.length;
      if (submitted < allowed || step === batches.length) continue;
      await wait();
      await course.reached?.({ epoch, step });
      restart();
    }
    step = 0;
    if (course.onEpoch !== undefined) await course.onEpoch(epoch);
    else if (isLast || submitted < allowed) continue;
    else await wait();
    await course.reached?.({ epoch: epoch + 1, step: 0 });
    restart();
  }
}
