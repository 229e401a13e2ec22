/**
 * Who holds the lock of a run's folder. Each holder leaves a file there, `.owner-<machine>-<process>`, that says in words who it is
 * and since when; `.lock`, a folder whose time it renews, says to other machines that it still lives.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { fileLimits, readBounded } from './boundedFile.js';

/** A lock that its owner on another machine has not renewed for so many seconds is taken over. */
export const STALE_SECONDS = 30;

/** The folder in a run's folder that is the lock. */
export const LOCK = '.lock';
const OWNER = /^\.owner-([0-9a-f]+)-(\d+)$/;

/** Whether a name in a run's folder, or a path that begins with it, is of its lock. */
export const isOfLock = (name: string): boolean => name.startsWith(LOCK) || name.startsWith('.owner-');

/** What a machine is called in the names of owners' files. */
const machineName = createHash('sha256').update(hostname()).digest('hex').slice(0, 12);

/** Where process numbers mean the same: one start of one machine, and there one container. Empty where the system does not say. */
async function realm(): Promise<string> {
  const parts = [
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ];
  return (await Promise.all(parts))
    .map((part) => part.trim())
    .join(' ')
    .trim();
}

/** When a process began, in the system's own count: another one of the same number has another. Null where the system does not say. */
async function startOf(processId: number): Promise<string | null> {
  const text = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '');
  // Fields are counted from behind the name, which may hold spaces and brackets: the third of all is the state, the 22nd the start.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  if (start === undefined) return null;
  return state === 'Z' ? ENDED : start;
}

/** The start of a process that has ended, and of which only the number is left. */
const ENDED = 'ended';

/** What is written of an owner. */
export const ownerSchema = z.object({
  version: z.literal(1),
  process: z.number().int(),
  machine: z.string(),
  realm: z.string(),
  start: z.string().nullable(),
  since: z.string(),
});

/** What an owner's file says. */
export type Owner = z.infer<typeof ownerSchema>;

/** Where this process is, and when it began: asked for once, for neither changes. */
let place: Promise<readonly [realm: string, start: string | null]> | null = null;

/** This process, as an owner from now on. */
export async function ourselves(): Promise<Owner> {
  place ??= Promise.all([realm(), startOf(process.pid)]);
  const [where, start] = await place;
  return {
    version: 1,
    process: process.pid,
    machine: hostname(),
    realm: where,
    start,
    since: new Date().toISOString(),
  };
}

/** The file by which a process owns a folder. */
export const ownerFile = (folder: string, processId: number): string =>
  join(folder, `.owner-${machineName}-${processId}`);

/** An owner whose file was found. */
export interface FoundOwner {
  /** Path of its file. */
  readonly file: string;
  readonly process: number;
  /** Whether it is of a machine that is called like this one. */
  readonly isHere: boolean;
  /** What its file says; null where it says nothing that can be read, as those of earlier versions. */
  readonly said: Owner | null;
}

/** All who say that they own a folder. Rejects with the system's error where it cannot be read. */
export async function ownersOf(folder: string): Promise<FoundOwner[]> {
  const found: FoundOwner[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const [, machine, processId] = OWNER.exec(name) ?? [];
    if (machine === undefined) continue;
    const file = join(folder, name);
    // A pipe of that name, in a folder of strangers, would never end.
    const text = await readBounded(file, fileLimits.record).then(
      (bytes) => new TextDecoder().decode(bytes),
      () => '',
    );
    const said = ownerSchema.safeParse(parsed(text)).data ?? null;
    found.push({ file, process: Number(processId), isHere: machine === machineName, said });
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds since the lock of a folder was renewed; null where there is none. */
export async function lockAge(folder: string): Promise<number | null> {
  const renewed = await stat(join(folder, LOCK)).catch(() => undefined);
  return renewed === undefined ? null : (Date.now() - renewed.mtimeMs) / 1000;
}

/** `unknown`: it is on another machine, and has renewed its lock lately. */
export type OwnerState = 'alive' | 'dead' | 'unknown';

/**
 * Whether an owner lives. On this machine it can be seen at once, and one that is only held up is never taken for dead; elsewhere
 * only the age of its lock tells.
 *
 * @param age seconds since the lock was renewed, looked up after the owner; null where there is none, so that nobody holds it
 */
export async function stateOf(
  { process: processId, isHere, said }: FoundOwner,
  age: number | null,
): Promise<OwnerState> {
  if (age === null) return 'dead';
  const byAge = age > STALE_SECONDS ? 'dead' : 'unknown';
  if (!isHere || (said !== null && said.realm !== (await realm()))) return byAge;
  if (!isAlive(processId)) return 'dead';
  // Without its start another process may have the number by now.
  if (said === null || said.start === null) return byAge === 'dead' ? 'dead' : 'alive';
  return (await startOf(processId)) === said.start ? 'alive' : 'dead';
}

/** Whether a process lives that says it is `owner`; null where it cannot be seen from here, as of one on another machine. */
export async function livenessOf(owner: Owner): Promise<boolean | null> {
  if (owner.realm === '' || owner.realm !== (await realm())) return null;
  if (!isAlive(owner.process)) return false;
  return owner.start === null || (await startOf(owner.process)) === owner.start;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** An owner in words: process, machine and since when, as far as it says. */
export function describeOwner({ process: processId, said }: FoundOwner): string {
  return said === null
    ? `process ${processId}`
    : `process ${processId} on ${said.machine}, since ${said.since}`;
}
