/**
 * A run that is killed again and again, and resumed each time, until it has been killed often enough in every stage and ends. The
 * moments are drawn from a seed: some time after a stage began, after some of its steps, or in the middle of a change of the folder.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { integers, uniform } from '../../../src/kernels/philox.js';
import { stageNames } from '../../../src/pipeline/progress.js';
import type { FaultCounts } from './counts.js';
import type { Moment } from './journal.js';
import { cutPower } from './powerCut.js';
import type { ChangeMoment, Place, VictimMessage, VictimOptions } from './victim.js';

/** Where a run can be killed, in order. */
export const places: readonly Place[] = ['opening', ...stageNames];

/** What a run is that was left alone: by place its seconds, its steps told, and its changes of the folder. */
export interface Undisturbed {
  readonly seconds: Partial<Record<Place, number>>;
  readonly steps: Partial<Record<Place, number>>;
  readonly changes: Partial<Record<Place, number>>;
}

export interface ChainOptions {
  /** The bundled `victim.ts`. */
  readonly script: string;
  readonly run: Omit<VictimOptions, 'folder' | 'journal' | 'endsAt'>;
  readonly folder: string;
}

export interface KillOptions extends ChainOptions {
  readonly undisturbed: Undisturbed;
  readonly seed: number;
  /** Names the chain's random numbers. */
  readonly chain: number;
  /** Kills at each place, as long as the run stays there long enough. */
  readonly killsEach: number;
  /** The places at which it is killed; all by default. */
  readonly at?: readonly Place[];
  /** Whether every kill is a power cut. */
  readonly isPowerCut?: boolean;
}

/** A run that has ended after all. */
export interface Survived {
  /** How often it was killed at each place. */
  readonly kills: FaultCounts;
  /** Each kill in words, in order, to find the one that did harm. */
  readonly history: readonly string[];
}

/** A process that ended by itself though it should not have. */
export class VictimError extends Error {}

/** A run is killed from outside after so many milliseconds at a place, or so many steps and then milliseconds. */
interface OuterMoment {
  readonly steps: number;
  readonly milliseconds: number;
}

/** Milliseconds after a step within which a kill follows it. */
const AFTER_A_STEP = 15;
/** A kill by time may also come when the place is over, and hit what follows. */
const PAST_THE_END = 1.1;
/** Attempts after which a chain cannot be said to go on. */
const MOST_ATTEMPTS = 400;
const UNWATCHED: Pick<VictimOptions, 'journal' | 'endsAt'> = { journal: null, endsAt: {} };
const MOMENTS: readonly Moment[] = ['before', 'half', 'after'];

/** How a run's process ended. */
export interface Ended {
  /** Where it was when it ended. */
  readonly place: Place | null;
  readonly wasKilled: boolean;
  readonly skipped: readonly string[];
  readonly undisturbed: Undisturbed;
}

/** A run in a process of its own. */
export interface Victim {
  readonly process: ChildProcess;
  /** @throws VictimError when it ends neither well nor by a kill. */
  readonly ended: Promise<Ended>;
}

/** Starts the script once. `onPlace` is told where the run is. */
export function startVictim(
  { script, run, folder }: ChainOptions,
  onPlace: (place: Place) => void,
  onStep: (place: Place, steps: number) => void = () => {},
  { journal, endsAt }: Pick<VictimOptions, 'journal' | 'endsAt'> = { journal: null, endsAt: {} },
): Victim {
  const options: VictimOptions = { ...run, folder, journal, endsAt };
  const child = fork(script, [JSON.stringify(options)], { silent: true, execArgv: [] });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  let place: Place | null = null;
  let since = performance.now();
  const skipped: string[] = [];
  const seconds: Undisturbed['seconds'] = {};
  const steps: Undisturbed['steps'] = {};
  let changes: Undisturbed['changes'] = {};
  const leave = (): void => {
    if (place !== null) seconds[place] = (performance.now() - since) / 1000;
    since = performance.now();
  };
  child.on('message', (message: VictimMessage) => {
    if (message.tells === 'skipped') skipped.push(message.stage);
    else if (message.tells === 'ended') {
      leave();
      changes = message.changes;
    } else if (message.tells === 'place') {
      leave();
      place = message.place;
      onPlace(place);
    } else if (place !== null) {
      steps[place] = (steps[place] ?? 0) + 1;
      onStep(place, steps[place]!);
    }
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  }).then(([code, signal]): Ended => {
    const wasKilled = signal === 'SIGKILL';
    if (!wasKilled && code !== 0) {
      throw new VictimError(`The run ended with code ${code}, signal ${signal}, at ${place}: ${errors}`);
    }
    return { place, wasKilled, skipped, undisturbed: { seconds, steps, changes } };
  });
  return { process: child, ended };
}

/** Runs the script once, and kills it from outside at the moments given. */
async function attempt(
  options: ChainOptions,
  watch: Pick<VictimOptions, 'journal' | 'endsAt'>,
  outer: Partial<Record<Place, OuterMoment>>,
): Promise<Ended> {
  let timer: NodeJS.Timeout | undefined;
  const onStep = (place: Place, steps: number): void => {
    const moment = outer[place];
    if (moment?.steps !== steps) return;
    timer ??= setTimeout(() => victim.process.kill('SIGKILL'), moment.milliseconds);
  };
  const victim = startVictim(options, (place) => onStep(place, 0), onStep, watch);
  try {
    return await victim.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs once, from an empty folder to the end. */
export async function runUndisturbed(options: ChainOptions): Promise<Undisturbed> {
  return (await attempt(options, UNWATCHED, {})).undisturbed;
}

/**
 * Runs again on a folder that is done, whose measured seconds are made those of another: then no file may differ any more.
 *
 * @returns the stages that were skipped.
 */
export async function runAgainWithTimingsOf(
  options: ChainOptions,
  other: string,
): Promise<readonly string[]> {
  copyFileSync(join(other, 'timings.json'), join(options.folder, 'timings.json'));
  return (await attempt(options, UNWATCHED, {})).skipped;
}

/** Runs until a given change of the folder, which ends the process. Returns whether it did. */
export async function killAt(options: ChainOptions, place: Place, moment: ChangeMoment): Promise<boolean> {
  return (await attempt(options, { journal: null, endsAt: { [place]: moment } }, {})).wasKilled;
}

/** A kill that misses the last place ends the chain, so all but the last one come at a change there, which cannot be missed. */
const isSure = (place: Place, kills: Partial<Record<Place, number>>, killsEach: number): boolean =>
  place === places.at(-1) && (kills[place] ?? 0) < killsEach - 1;

/** Kills a run and resumes it until it ends. */
export async function killAndResume(options: KillOptions): Promise<Survived> {
  const { undisturbed, seed, chain, killsEach, at = places, isPowerCut = false, folder } = options;
  const kills: Partial<Record<Place, number>> = {};
  const history: string[] = [];
  let drawn = 0;
  const draw = (): number => uniform({ seed, purpose: `faults.${chain}`, index: drawn++ }, 1)[0]!;
  const below = (bound: number): number =>
    integers({ seed, purpose: `faults.${chain}`, index: drawn++ }, 1, bound)[0]!;

  for (let tried = 0; tried < MOST_ATTEMPTS; tried++) {
    const endsAt: Partial<Record<Place, ChangeMoment>> = {};
    const outer: Partial<Record<Place, OuterMoment>> = {};
    for (const place of at.filter((each) => (kills[each] ?? 0) < killsEach)) {
      const { seconds, steps, changes } = undisturbed;
      const way = isPowerCut || isSure(place, kills, killsEach) ? 0 : below(3);
      if (way === 0) {
        endsAt[place] = { change: below(changes[place] || 1), moment: MOMENTS[below(MOMENTS.length)]! };
      } else if (way === 1 && steps[place]) {
        outer[place] = { steps: 1 + below(steps[place]), milliseconds: draw() * AFTER_A_STEP };
      } else {
        outer[place] = { steps: 0, milliseconds: 1000 * (seconds[place] ?? 0) * draw() * PAST_THE_END };
      }
    }
    const journal = isPowerCut ? `${folder}-journal` : null;
    if (journal !== null) mkdirSync(journal);
    const { place, wasKilled } = await attempt(options, { journal, endsAt }, outer);
    let lost = '';
    if (journal !== null) {
      if (wasKilled) lost = `, lost ${JSON.stringify(cutPower(folder, journal, draw))}`;
      rmSync(journal, { recursive: true });
    }
    if (!wasKilled) return { kills: kills as FaultCounts, history };
    if (place === null) continue;
    kills[place] = (kills[place] ?? 0) + 1;
    history.push(`${place} ${JSON.stringify(endsAt[place] ?? outer[place] ?? 'by a late kill')}${lost}`);
  }
  throw new VictimError(`The run has not ended after ${MOST_ATTEMPTS} attempts: ${history.join('; ')}`);
}
