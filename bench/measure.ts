/**
 * Times of several contenders, measured in turn: in every round benny takes a sample of each, so that whatever else the
 * machine does meanwhile falls on all of them.
 */
import benny from 'benny';
import { median, medianAbsoluteDeviation } from 'simple-statistics';
import { type Contender, reasonOf } from './contender.js';

/** A sample takes at least so long, in as many runs as that needs: waiting for the device then weighs little. Milliseconds. */
export const SHORTEST_SAMPLE = 20;
/** Some sides keep every run's result until the sample's end. */
export const MOST_REPEATS = 100;
/** A side whose first run takes longer than this gives fewer samples, the others meanwhile go on. Milliseconds. */
export const LONG_RUN = 2000;
export const LONG_ROUNDS = 3;
/** One sample a round; benny would otherwise take as many as it likes. */
const BENNY_OPTIONS = { minSamples: 1, maxTime: 0, minTime: 0.001 };

/** Milliseconds a run. */
export interface Measured {
  readonly medianMs: number;
  /** Median absolute deviation of the samples. */
  readonly spreadMs: number;
}

/** What became of a contender: its times, or why it has none. */
export type Outcome = Measured | { readonly why: string };

export function summarise(samples: readonly number[]): Measured {
  return { medianMs: median([...samples]), spreadMs: medianAbsoluteDeviation([...samples]) };
}

/** Milliseconds that an action takes. */
async function millisecondsOf(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** How a contender is sampled. */
interface Plan {
  /** Runs of one sample. */
  readonly repeats: number;
  /** Rounds that it takes part in. */
  readonly rounds: number;
}

/** Runs until it is warm, and tells from that how to sample. */
async function warmUp(contender: Contender, rounds: number): Promise<Plan> {
  const first = await millisecondsOf(() => contender.run(1));
  if (first > LONG_RUN) return { repeats: 1, rounds: Math.min(rounds, LONG_ROUNDS) };
  await contender.run(1);
  const once = await millisecondsOf(() => contender.run(1));
  const guess = repeatsFor(once);
  return {
    repeats: guess === 1 ? 1 : repeatsFor((await millisecondsOf(() => contender.run(guess))) / guess),
    rounds,
  };
}

const repeatsFor = (milliseconds: number): number =>
  Math.min(MOST_REPEATS, Math.ceil(SHORTEST_SAMPLE / Math.max(milliseconds, 1e-3)));

/**
 * Measures contenders in turn. One that fails meanwhile ends with its reason, and the others go on.
 *
 * @param title what is measured, for the terminal
 */
export async function measureInTurn(
  title: string,
  contenders: ReadonlyMap<string, Contender>,
  rounds: number,
): Promise<Map<string, Outcome>> {
  const samples = new Map<string, number[]>();
  const failed = new Map<string, string>();
  const plans = new Map<string, Plan>();
  for (const [name, contender] of contenders) {
    try {
      plans.set(name, await warmUp(contender, rounds));
      samples.set(name, []);
    } catch (error) {
      failed.set(name, reasonOf(error));
    }
  }
  for (let round = 1; round <= rounds; round++) {
    const running = [...samples.keys()].filter(
      (name) => !failed.has(name) && round <= plans.get(name)!.rounds,
    );
    // benny calls every case once when it is added, all at the same time: those calls do nothing.
    let hasStarted = false;
    await benny.suite(
      `${title}, round ${round} of ${rounds}`,
      ...running.map((name) =>
        benny.add(
          name,
          async () => {
            if (!hasStarted || failed.has(name)) return;
            try {
              await contenders.get(name)!.run(plans.get(name)!.repeats);
            } catch (error) {
              failed.set(name, reasonOf(error));
            }
          },
          BENNY_OPTIONS,
        ),
      ),
      async () => (suite) =>
        suite.on('start', () => {
          hasStarted = true;
        }),
      benny.complete(({ results }) => {
        for (const { name, details } of results) {
          samples.get(name)!.push((details.median * 1e3) / plans.get(name)!.repeats);
        }
      }),
    );
  }
  return new Map(
    [...contenders.keys()].map((name) => {
      const why = failed.get(name);
      return [name, why === undefined ? summarise(samples.get(name)!) : { why }];
    }),
  );
}
