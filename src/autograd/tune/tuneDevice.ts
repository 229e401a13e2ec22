/** The best block sizes of a device for some work, measured group by group. */
import type { Device } from '../../gpu/device.js';
import type { Tuning } from '../../kernels/catalogue.js';
import { joinOverrides, mergeTuning, type TuningOverrides, tableOf } from '../../kernels/deviceTuning.js';
import { type TuningGroup, tuningGroups } from '../../kernels/tuningCandidates.js';
import { targetOf } from '../compile/plan.js';
import { type CandidateTime, chooseCandidate, gainOf, heaviest, LEAST_GAIN } from './choose.js';
import { measureUnit } from './measure.js';
import { launchKey, type TuningUnit, unitsOf, type WeightedTape } from './units.js';

/** What a group of block sizes came to. */
export interface TuningChoice {
  /** Name of the group. */
  readonly group: string;
  /** Name of the candidate that was taken; null where the block sizes stay. */
  readonly candidate: string | null;
  /** Seconds that the measured launches take in all the work with the block sizes before. */
  readonly before: number;
  /** The same with those that were taken. */
  readonly after: number;
  /** Candidates that were left out, and why: the device refused them, or they computed something else. */
  readonly failures: Readonly<Record<string, string>>;
}

/** What was found out about a device. */
export interface TuningOutcome {
  /** One for each group. */
  readonly choices: readonly TuningChoice[];
  /** All that was taken; empty where the table of the device's class is best. */
  readonly overrides: TuningOverrides;
}

/** How it is measured. */
export interface TuneOptions {
  /** Samples of each candidate and launch; their median counts. */
  readonly rounds: number;
  /** What is tried; all groups by default. */
  readonly groups?: Readonly<Record<string, TuningGroup>>;
  /** Told of what is about to be measured, in a few words. */
  readonly progress?: (what: string) => void;
}

interface TimedUnit extends TuningUnit {
  /** Seconds of one launch with the class's table. */
  readonly seconds: number;
}

const BEFORE = 'before';

/** Samples of the first look, which only says which launches weigh most: of three, one that was disturbed does not decide. */
const FIRST_ROUNDS = 3;

const kindsText = ({ length }: readonly TuningUnit[]): string =>
  `${length} ${length === 1 ? 'kind' : 'kinds'} of launches`;

/** Seconds of all launches under each variant, the first being what is there. */
async function measureGroup(
  device: Device,
  units: readonly TimedUnit[],
  variants: ReadonlyMap<string, Tuning>,
  rounds: number,
): Promise<Map<string, CandidateTime>> {
  const seconds = new Map<string, number>([...variants.keys()].map((name) => [name, 0]));
  const failures = new Map<string, string>();
  for (const { tape, runs } of units) {
    const keys = new Map<string, string>();
    const distinct = new Map<string, Tuning>();
    for (const [name, tuning] of variants) {
      if (failures.has(name)) continue;
      const key = launchKey(tape, targetOf(device, tuning));
      keys.set(name, key);
      if (!distinct.has(key)) distinct.set(key, tuning);
    }
    const times = await measureUnit(device, tape, distinct, rounds);
    for (const [name, key] of keys) {
      const time = times.get(key)!;
      if ('failure' in time) failures.set(name, time.failure);
      else seconds.set(name, seconds.get(name)! + runs * time.seconds);
    }
  }
  return new Map(
    [...seconds].map(([name, total]) => {
      const failure = failures.get(name);
      return [name, failure === undefined ? { seconds: total } : { failure }];
    }),
  );
}

const secondsOf = (times: ReadonlyMap<string, CandidateTime>, name: string): number => {
  const time = times.get(name)!;
  return 'seconds' in time ? time.seconds : Number.POSITIVE_INFINITY;
};

/** Units that would be launched otherwise by one of the variants. */
const affected = (
  device: Device,
  units: readonly TimedUnit[],
  variants: ReadonlyMap<string, Tuning>,
): TimedUnit[] =>
  units.filter(({ tape }) => {
    const keys = [...variants.values()].map((tuning) => launchKey(tape, targetOf(device, tuning)));
    return new Set(keys).size > 1;
  });

async function tuneGroup(
  device: Device,
  name: string,
  group: TuningGroup,
  timed: readonly TimedUnit[],
  chosen: TuningOverrides,
  { rounds, progress }: TuneOptions,
): Promise<{ choice: TuningChoice; overrides: TuningOverrides }> {
  const table = mergeTuning(tableOf(device), chosen);
  const candidates = group.candidates[device.adapter.kind];
  const variants = new Map<string, Tuning>([[BEFORE, table]]);
  for (const [candidate, overrides] of Object.entries(candidates)) {
    variants.set(candidate, mergeTuning(table, overrides));
  }
  const concerned = timed.filter(({ kernels }) => group.kernels.some((kernel) => kernels.has(kernel)));
  const units = heaviest(affected(device, concerned, variants));
  if (units.length > 0) progress?.(`${name}: ${kindsText(units)}, ${variants.size - 1} candidates`);

  const times = await measureGroup(device, units, variants, rounds);
  let before = secondsOf(times, BEFORE);
  times.delete(BEFORE);
  const failures: Record<string, string> = {};
  for (const [candidate, time] of times) if ('failure' in time) failures[candidate] = time.failure;
  const stays = (): { choice: TuningChoice; overrides: TuningOverrides } => ({
    choice: { group: name, candidate: null, before, after: before, failures },
    overrides: {},
  });
  const winner = chooseCandidate(before, times);
  if (winner === null) return stays();

  // The fastest of several is partly the luckiest of them: it has to win again, alone with what is there.
  const pair = new Map([BEFORE, winner].map((variant) => [variant, variants.get(variant)!]));
  const again = await measureGroup(device, units, pair, rounds);
  before = secondsOf(again, BEFORE);
  const after = secondsOf(again, winner);
  if (!(gainOf(before, after) > LEAST_GAIN)) return stays();
  return {
    choice: { group: name, candidate: winner, before, after, failures },
    overrides: candidates[winner]!,
  };
}

/**
 * Measures every candidate on the launches of some tapes, and says which to take. The device goes on with the block
 * sizes that it has; `useTuning` gives it others.
 *
 * @throws DeviceError when a launch does not run with the table of the device's class.
 */
export async function tuneDevice(
  device: Device,
  tapes: readonly WeightedTape[],
  options: TuneOptions,
): Promise<TuningOutcome> {
  const { groups = tuningGroups, progress } = options;
  const table = tableOf(device);
  const units = unitsOf(tapes, targetOf(device, table));
  progress?.(`${kindsText(units)} in ${tapes.map(({ name }) => name).join(', ')}`);
  const firstRounds = Math.min(FIRST_ROUNDS, options.rounds);
  const timed: TimedUnit[] = [];
  for (const unit of units) {
    const times = await measureUnit(device, unit.tape, new Map([[BEFORE, table]]), firstRounds);
    timed.push({ ...unit, seconds: secondsOf(times, BEFORE) });
  }
  const choices: TuningChoice[] = [];
  let overrides: TuningOverrides = {};
  for (const [name, group] of Object.entries(groups)) {
    const found = await tuneGroup(device, name, group, timed, overrides, options);
    choices.push(found.choice);
    overrides = joinOverrides(overrides, found.overrides);
  }
  return { choices, overrides };
}
