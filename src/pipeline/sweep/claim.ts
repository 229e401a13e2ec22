/**
 * Who works on a job, among all workers that share a sweep's folder. A claim is a numbered file, made so that only one worker can
 * have made it (`O_EXCL`, which NFS keeps too); the highest number owns the job. Its owner shows life by counting in a file beside it.
 * Whoever sees no change for a minute of its own time – no clocks are compared – takes over by making the next number, which again
 * one worker alone can do; the one that was only held up finds that number, and stops. On the same machine a dead owner is seen at once.
 * No result depends on any of this: two workers on one job leave one result, for only one of them can give its folder the final name.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { InterruptedError, StoreError } from '../../errors.js';
import { fileLimits, readBounded } from '../store/boundedFile.js';
import { plainDisk } from '../store/disk.js';
import { exists } from '../store/exists.js';
import { writingFailure } from '../store/failures.js';
import { livenessOf, type Owner, ourselves, ownerSchema } from '../store/lockOwner.js';
import { pathsOf } from './sweepFolder.js';

/** Milliseconds of a claim's life. */
export interface ClaimTimes {
  /** Between two signs of life. */
  readonly beat: number;
  /** Without a sign of life, after which an owner counts as gone; many times `beat`. */
  readonly stale: number;
  /** Between two looks at a claim that another worker holds. */
  readonly look: number;
}

const CLAIM_TIMES: ClaimTimes = { beat: 5000, stale: 60_000, look: 500 };

const endSchema = z.object({
  /** `stopped`: it was asked to, and goes on when it is taken again. */
  outcome: z.enum(['failed', 'stopped']),
  message: z.string(),
  exitCode: z.number().int(),
  /** When, as an ISO date of the owner's clock; for people alone. */
  at: z.string(),
});

/** How a try at a job ended without a result. */
export type ClaimEnd = z.infer<typeof endSchema>;

/** A claim as others see it. */
export interface FoundClaim {
  readonly number: number;
  /** Null where it says nothing that can be read. */
  readonly owner: Owner | null;
  /** Null while its owner holds it, or was killed holding it. */
  readonly end: ClaimEnd | null;
}

/** A job that is ours. */
export interface Claim {
  readonly number: number;
  /** Aborted when another worker has taken the job over. */
  readonly lost: AbortSignal;
  /** Throws `StoreError` when another worker has taken the job over. */
  check(): Promise<void>;
  /** Gives the job back without a result. Never rejects: what cannot be written is found out by the next worker. */
  giveBack(end: ClaimEnd): Promise<void>;
  /** Shows no more life: the job is done. */
  stop(): void;
}

const CLAIM = /^(\d+)\.json$/;
const claimFile = (folder: string, number: number): string => join(folder, `${number}.json`);
const beatFile = (folder: string, number: number): string => join(folder, `${number}.beat`);
const endFile = (folder: string, number: number): string => join(folder, `${number}.end.json`);

const textOf = (path: string): Promise<string> =>
  readBounded(path, fileLimits.record).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  );

function parsed<Value>(text: string, schema: z.ZodType<Value>): Value | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The claim that owns a job; null where nobody has begun it. */
export async function findClaim(sweep: string, hash: string): Promise<FoundClaim | null> {
  const folder = pathsOf(sweep).claims(hash);
  const names = await readdir(folder).catch(() => []);
  const numbers = names.flatMap((name) => CLAIM.exec(name)?.[1] ?? []).map(Number);
  if (numbers.length === 0) return null;
  const number = Math.max(...numbers);
  return {
    number,
    owner: parsed(await textOf(claimFile(folder, number)), ownerSchema),
    end: parsed(await textOf(endFile(folder, number)), endSchema),
  };
}

/** Whether a claim can be taken over at once; null where only time tells. */
async function isFree({ owner, end }: FoundClaim): Promise<boolean | null> {
  if (end !== null) return true;
  const isAlive = owner === null ? null : await livenessOf(owner);
  return isAlive === null ? null : !isAlive;
}

/** Makes a claim of a number; false where another worker was first, or is done. Throws `StoreError`. */
function make(folder: string, number: number, owner: Owner): boolean {
  const path = claimFile(folder, number);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writingFailure(folder, 'created', error);
  }
  try {
    // Not flushed: after a power cut nobody works on anything.
    writeFileSync(path, `${JSON.stringify(owner)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENOENT: whoever has just finished the job has removed its claims.
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw writingFailure(path, 'written', error);
  }
}

function hold(folder: string, number: number, { beat }: ClaimTimes): Claim {
  const lost = new AbortController();
  let count = 0;
  const isTaken = async (): Promise<boolean> => exists(claimFile(folder, number + 1));
  const pulse = (): void => {
    // Where that fails for long, others take over, and the next look tells.
    writeFile(beatFile(folder, number), `${++count}`).catch(() => undefined);
    isTaken().then(
      (taken) => taken && lost.abort(),
      () => undefined,
    );
  };
  const pulses = setInterval(pulse, beat).unref();
  return {
    number,
    lost: lost.signal,
    async check() {
      if (!(await isTaken())) return;
      lost.abort();
      throw new StoreError(
        `${folder}: another worker has taken the job over, while this one was held up; nothing more is written here.`,
      );
    },
    async giveBack(end) {
      clearInterval(pulses);
      await plainDisk.writeWhole(endFile(folder, number), `${JSON.stringify(end)}\n`).catch(() => undefined);
    },
    stop() {
      clearInterval(pulses);
    },
  };
}

/** What a worker that waits for another one's job is told with. */
export interface ClaimOptions {
  readonly signal?: AbortSignal;
  readonly times?: ClaimTimes;
  /** Told once, in a sentence, when the job is another worker's. */
  readonly waiting?: (text: string) => void;
}

/**
 * Claims a job, as soon as no other worker holds it; null when another one has finished it meanwhile.
 *
 * @throws StoreError where the folder cannot be written, InterruptedError when the signal is aborted.
 */
export async function claimJob(
  sweep: string,
  hash: string,
  { signal, times = CLAIM_TIMES, waiting = () => {} }: ClaimOptions = {},
): Promise<Claim | null> {
  const paths = pathsOf(sweep);
  const folder = paths.claims(hash);
  /** The sign of life that was seen last, and when by our own time. */
  let seen = { sign: '', since: performance.now() };
  let isTold = false;
  // In calls that wait: a turn through the pool of threads takes far longer on cores that compute, and a sweep has many short jobs.
  const isDone = (): boolean => existsSync(paths.record(hash));
  /** Null where the job is done by then, false where that is to be looked at again. */
  const take = async (number: number): Promise<Claim | null | false> => {
    if (!make(folder, number, await ourselves())) return false;
    const claim = hold(folder, number, times);
    if (!isDone()) return claim;
    claim.stop();
    await forgetClaims(sweep, hash);
    return null;
  };
  for (;;) {
    if (isDone()) return null;
    const found = existsSync(folder) ? await findClaim(sweep, hash) : null;
    const sign = found === null ? '' : `${found.number} ${await textOf(beatFile(folder, found.number))}`;
    if (sign !== seen.sign) seen = { sign, since: performance.now() };
    const isStale = found !== null && performance.now() - seen.since > times.stale;
    if (found === null || isStale || (await isFree(found))) {
      const taken = await take(found === null ? 0 : found.number + 1);
      if (taken !== false) return taken;
    } else if (!isTold) {
      waiting(describe(found));
      isTold = true;
    }
    await wait(times.look, undefined, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
      throw new InterruptedError('Stopped while another worker had the job, as asked.', { cause });
    });
  }
}

/** Removes the claims of a finished job. Never rejects: they do no harm. */
export const forgetClaims = (sweep: string, hash: string): Promise<void> =>
  rm(pathsOf(sweep).claims(hash), { recursive: true, force: true }).catch(() => undefined);

const describe = ({ owner }: FoundClaim): string =>
  owner === null
    ? 'another worker has it'
    : `process ${owner.process} on ${owner.machine} has it, since ${owner.since}`;
