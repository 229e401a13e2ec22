/**
 * Waits for a device. Each ends: when the device answers, when it is lost, or when it has been silent for too long. A device
 * that works on a great deal answers in between: `mark` asks it to, so that silence means that nothing gets done.
 */
import { DeviceTimeoutError } from '../errors.js';

/** Seconds that a device may be silent while it is waited for, unless the opener says otherwise. */
export const DEFAULT_PATIENCE = 1800;

/**
 * Silence is counted in turns of the event loop that lie so many parts of the patience apart: neither a machine that was
 * asleep nor a host that computed by itself for long is then taken for a silent device.
 */
const TURNS = 10;

const MILLISECONDS_A_SECOND = 1000;

/**
 * Waits for a promise of the device's; the host may do so in a way that leaves the processor to the device. `during` says
 * what is waited for, for messages.
 */
export type WaitFor = <T>(work: Promise<T>, during?: string) => Promise<T>;

/** What to do about a device that does not answer, in sentences. */
export interface Remedies {
  /** When it is opened. */
  readonly opening: string;
  /** When it works. */
  readonly working: string;
}

const GENERAL: Remedies = {
  opening: 'Choose another device, or restart the driver or the browser.',
  working:
    'What was kept before stays. Do it again with smaller steps (a smaller batch), or on another device.',
};

/** Waits for `work`, but not longer than so many milliseconds. */
export async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** The waits of one device, which end together when it fails. */
export class Waits {
  readonly #patience: number;
  readonly #name: string;
  readonly #remedy: string;
  /** What each wait is for, by what ends it; the oldest first. */
  readonly #pending = new Map<(error: Error) => void, string>();
  #failure: Error | null = null;
  #silentTurns = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  /**
   * @param name what is waited for, such as `device 'NVIDIA …'`
   * @param patience seconds of silence after which every wait fails
   * @param remedy what to do then, in sentences
   */
  constructor(name: string, patience = DEFAULT_PATIENCE, remedy = GENERAL.working) {
    this.#name = name;
    this.#patience = patience;
    this.#remedy = remedy;
  }

  /** What all waits have failed with; null while none have. */
  get failure(): Error | null {
    return this.#failure;
  }

  /**
   * The result of the device's `work`.
   *
   * @param during what is waited for, as a clause: `a buffer was read back`
   * @throws DeviceTimeoutError when the device is silent for too long, and whatever `fail` was given.
   */
  async bounded<T>(work: Promise<T>, during: string): Promise<T> {
    if (this.#failure !== null) {
      // Nobody waits for it any more.
      work.catch(() => undefined);
      throw this.#failure;
    }
    return await new Promise<T>((resolve, reject) => {
      // A list of its own rather than Promise.race with the loss, which would remember every wait there ever was.
      this.#pending.set(reject, during);
      this.#listen();
      work.then(resolve, reject).finally(() => {
        this.#pending.delete(reject);
        this.#heard();
      });
    });
  }

  /** Counts the end of `work` as a sign of life. */
  mark(work: Promise<unknown>): void {
    const heard = (): void => {
      this.#silentTurns = 0;
    };
    work.then(heard, heard);
  }

  /** Ends all waits, and those to come, with an error; the first one counts. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const reject of this.#pending.keys()) reject(this.#failure);
    this.#pending.clear();
    this.#heard();
  }

  #heard(): void {
    this.#silentTurns = 0;
    if (this.#pending.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #listen(): void {
    if (this.#timer !== null) return;
    this.#silentTurns = 0;
    const turn = (): void => {
      if (++this.#silentTurns < TURNS) return;
      const [during = 'it works'] = this.#pending.values();
      this.fail(
        new DeviceTimeoutError(
          `The ${this.#name} has not answered for ${this.#patience} s while ${during}: its driver hangs, or one piece of ` +
            `work takes it that long. ${this.#remedy}`,
        ),
      );
    };
    this.#timer = setInterval(turn, (MILLISECONDS_A_SECOND * this.#patience) / TURNS);
  }
}

/** Seconds that a driver may take to offer an adapter, or an adapter to give a device. */
const OPENING_PATIENCE = 60;

/** The wait for a device that is being opened. */
export function openingWaits(name: string, { opening }: Remedies = GENERAL): Waits {
  return new Waits(name, OPENING_PATIENCE, opening);
}
