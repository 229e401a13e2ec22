/** Ctrl-C and a request to end: the first lets the work end after its step, the second leaves at once. */
import { EXIT_CODES } from '../errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface Interruption {
  /** Aborted when the work is to end. */
  readonly signal: AbortSignal;
  /** Listens no more. */
  release(): void;
}

/** Listens for both signals. `say` is told what the first one `does`; leaving at once is as safe as a kill. */
export function listenForInterruption(
  say: (text: string) => void,
  does = 'Stopping after this step, and keeping what is done.',
): Interruption {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.interrupted);
    else {
      controller.abort();
      say(`${does} Again to leave at once.`);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    release() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

/** Does work that ends after its step when one of the signals comes, which is told on stderr; listens no longer than it takes. */
export async function stoppable<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  does?: string,
): Promise<Result> {
  const interruption = listenForInterruption((text) => process.stderr.write(`${text}\n`), does);
  try {
    return await work(interruption.signal);
  } finally {
    interruption.release();
  }
}
