/**
 * SIGKILL at random moments, in every stage, and power cuts; each time the same command goes on. In the end every file has the
 * bits of a run that was left alone. HYPERGRAD_FAULT_SEED repeats a run's moments.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.js';
import { addCounts, countFaults, type FaultCounts, totalOf } from '../support/faults/counts.js';
import {
  type ChainOptions,
  killAndResume,
  places,
  runAgainWithTimingsOf,
  runUndisturbed,
  type Undisturbed,
} from '../support/faults/killChain.js';
import { folderContents } from '../support/folderContents.js';

/** HYPERGRAD_FAULT_KILLS asks for another number, for a quick look. */
const LEAST_KILLS = Number(process.env.HYPERGRAD_FAULT_KILLS || 200);
const LEAST_KILLS_EACH = Math.floor(LEAST_KILLS / 15);
const KILLS_EACH = 3;
const MOST_CHAINS = 20;
/** A power cut for every fourth kill. */
const LEAST_POWER_CUTS = LEAST_KILLS / 4;
/** Runs beside each other: two cores. */
const AT_A_TIME = 2;

/** Everything that a checkpoint has to hold, in stages of some steps. */
const SETS = [
  'evaluate.rows=[randomEncoder,randomSubset,highLossSubset,mkdt,trajectoryMatchingOnSsl,allData,teacher]',
  'teacher.steps=30',
  'experts.count=3',
  'distil.iterations=9',
  'distil.keep=best',
  'distil.snapshots=2',
  'distil.pixels.optimiser=adam',
  'distil.pixels.learningRate=0.01',
  'distil.startEpochsFrom=1',
  'selfSupervised.iterations=6',
];

const seed = Number(process.env.HYPERGRAD_FAULT_SEED || Date.now() % 1_000_000);

let built: Bundle;
let scratch = '';
let undisturbed: Undisturbed;
let expected: Record<string, string>;
let everything: Record<string, string>;

const optionsOf = (name: string): ChainOptions => ({
  script: built.entry('victim'),
  run: { preset: 'tiny-test', sets: SETS, checkpointSeconds: 0 },
  folder: join(scratch, name),
});

beforeAll(async () => {
  process.stdout.write(`The moments are drawn from HYPERGRAD_FAULT_SEED=${seed}.\n`);
  built = await bundle({ victim: 'test/support/faults/victim.ts' });
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-kills-'));
  undisturbed = await runUndisturbed(optionsOf('undisturbed'));
  expected = folderContents(join(scratch, 'undisturbed'));
  await runAgainWithTimingsOf(optionsOf('undisturbed'), join(scratch, 'undisturbed'));
  everything = folderContents(join(scratch, 'undisturbed'), true);
});
afterAll(async () => {
  await built.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** Kills one run until it ends, and holds it against the undisturbed one. */
async function chain(number: number, isPowerCut: boolean): Promise<FaultCounts> {
  const options = optionsOf(`${isPowerCut ? 'cut' : 'killed'}-${number}`);
  const { kills, history } = await killAndResume({
    ...{ ...options, undisturbed, seed, isPowerCut },
    chain: number,
    killsEach: KILLS_EACH,
  });
  const what = `seed ${seed}, chain ${number}: ${history.join('; ')}`;
  // First what can be read, so that a difference can be seen.
  const events = (folder: string): string => readFileSync(join(folder, 'events.jsonl'), 'utf8');
  expect(events(options.folder), what).toBe(events(join(scratch, 'undisturbed')));
  expect(folderContents(options.folder), what).toEqual(expected);
  await runAgainWithTimingsOf(options, join(scratch, 'undisturbed'));
  expect(folderContents(options.folder, true), what).toEqual(everything);
  rmSync(options.folder, { recursive: true });
  return kills;
}

/** Chains, some at a time, until they are enough. */
async function chains(
  first: number,
  isPowerCut: boolean,
  isEnough: (kills: FaultCounts) => boolean,
): Promise<FaultCounts> {
  let kills: FaultCounts = {};
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (!isEnough(kills) && begun < MOST_CHAINS) {
      const number = first + begun++;
      kills = addCounts(kills, await chain(number, isPowerCut));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return Object.fromEntries(places.map((place) => [place, kills[place] ?? 0]));
}

describe('a run that is killed again and again', () => {
  it('ends with the bits of an undisturbed one, wherever it is killed', async (context) => {
    const kills = await chains(
      0,
      false,
      (so) => totalOf(so) >= LEAST_KILLS && places.every((place) => (so[place] ?? 0) >= LEAST_KILLS_EACH),
    );
    countFaults(context, 'kills', kills);
    expect(totalOf(kills)).toBeGreaterThanOrEqual(LEAST_KILLS);
    for (const place of places) expect(kills[place], place).toBeGreaterThanOrEqual(LEAST_KILLS_EACH);
  });

  it('ends with them also where the power goes, and takes what was not flushed', async (context) => {
    const cuts = await chains(1000, true, (so) => totalOf(so) >= LEAST_POWER_CUTS);
    countFaults(context, 'power cuts', cuts);
    for (const place of places) expect(cuts[place], place).toBeGreaterThan(0);
  });
});
