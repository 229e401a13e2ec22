/** The programs of SLURM and munge on this machine, and their daemons as children that end when this process does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What is started or asked, and the Debian package that has it. */
const PROGRAMS = {
  munged: 'munge',
  slurmctld: 'slurm-wlm',
  slurmd: 'slurm-wlm',
  sbatch: 'slurm-wlm',
  squeue: 'slurm-wlm',
  scancel: 'slurm-wlm',
  scontrol: 'slurm-wlm',
  setpriv: 'util-linux',
} as const;
export type Program = keyof typeof PROGRAMS;

/** Daemons often lie where only root's path leads. */
const PLACES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(Boolean);
/** As whom munged runs where root starts it. */
export const MUNGE_USER = 'munge';
/** The file of a program; undefined where there is none. */
export function whereIs(program: Program): string | undefined {
  return PLACES.map((place) => join(place, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What the machine lacks for a cluster, in a sentence; null where nothing is missing. */
export function missingForCluster(): string | null {
  if (process.platform !== 'linux') return 'SLURM runs on Linux only.';
  const missing = (Object.keys(PROGRAMS) as Program[]).filter((program) => whereIs(program) === undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((program) => PROGRAMS[program]))];
    return `${missing.join(', ')} missing: on Debian, apt-get install ${packages.join(' ')}.`;
  }
  if (process.getuid!() === 0 && userOf(MUNGE_USER) === undefined)
    return `The user ${MUNGE_USER} is missing, as whom munged runs.`;
  return null;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A user as /etc/passwd has it. */
export function userOf(name: string): User | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** A program that ends when this process does, however that ends. */
export function daemon(
  program: Program,
  args: readonly string[],
  { user, environment = {} }: { readonly user?: User; readonly environment?: Record<string, string> } = {},
): ChildProcess {
  const asUser = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return spawn(
    whereIs('setpriv')!,
    [...asUser, '--pdeathsig', 'KILL', '--', whereIs(program)!, ...args],
    // A group of its own: Ctrl-C on a test's terminal is for the test, which then stops the cluster in order.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, ...environment } },
  );
}

/** Ends a child at once. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
