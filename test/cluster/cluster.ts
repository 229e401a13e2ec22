/**
 * A real SLURM on this machine: its controller, several nodes and the authentication that they share, started from nothing, with all
 * that they keep in a folder of their own, and gone without a trace when it is stopped. It changes nothing of the system's own SLURM.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { configurationText } from './configuration.js';
import { isStepDaemon, killProcess, NODE, processesOf } from './processes.js';
import { daemon, kill, MUNGE_USER, userOf, whereIs } from './programs.js';

const execute = promisify(execFile);

/** Seconds in which the whole cluster has to be there. */
const START_SECONDS = 30;
/** Milliseconds between two looks at what is awaited. */
const LOOK_AGAIN = 100;

/** Ports that nobody listens on now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until something is so. Throws, with what `state` says, when that takes too long. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  { seconds, state = () => '' }: { readonly seconds: number; readonly state?: () => string },
): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s. ${state()}`);
    await wait(LOOK_AGAIN);
  }
}

/** How a node goes down. */
export type NodeLoss =
  /** Its daemon ends, and its tasks run on unseen, as where a network fails. */
  | 'daemon'
  /** All of it ends, as where the power fails. */
  | 'everything';

export interface Cluster {
  /** Variables with which SLURM's commands, and what calls them, find this cluster. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Calls one of SLURM's commands and gives what it printed. */
  ask(program: 'sbatch' | 'squeue' | 'scancel' | 'scontrol', args: readonly string[]): Promise<string>;
  /** Ids of the processes of tasks, by node: those that batch scripts became, not what these started. */
  tasks(): readonly { readonly node: string; readonly process: number }[];
  /** Takes a node down. The controller notices by itself. */
  loseNode(node: string, loss: NodeLoss): Promise<void>;
  /** Starts a node's daemon again and waits until the controller uses it. */
  bringBack(node: string): Promise<void>;
  /** Ends all tasks and daemons, and removes what they kept. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly nodes: number;
  /** Processors that each node says it has; 1 by default. */
  readonly processors?: number;
  /** MiB of memory that each node says it has; 4096 by default. */
  readonly memory?: number;
}

/** Starts a cluster. Throws where a daemon does not come up, with what it said. */
export async function startCluster({
  nodes: count,
  processors = 1,
  memory = 4096,
}: ClusterOptions): Promise<Cluster> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'hypergrad-slurm-'));
  // munged wants nobody but the owner to write above its socket, and everybody to come through.
  chmodSync(folder, 0o755);
  const configuration = join(folder, 'slurm.conf');
  const environment = { SLURM_CONF: configuration };
  const names = Array.from({ length: count }, (_, index) => `n${index + 1}`);
  const children = new Map<string, ChildProcess>();
  const said: string[] = [];

  const keep = (name: string, child: ChildProcess): void => {
    children.set(name, child);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said.push(`${name}: ${text.trim()}`);
      if (said.length > 100) said.shift();
    });
  };
  const ask: Cluster['ask'] = async (program, args) =>
    (
      await execute(whereIs(program)!, [...args], {
        env: { ...process.env, ...environment },
        maxBuffer: 2 ** 24,
      })
    ).stdout;
  const state = (): string => said.slice(-20).join('\n');

  const startMunge = async (): Promise<void> => {
    const user = process.getuid!() === 0 ? userOf(MUNGE_USER) : undefined;
    const place = join(folder, 'munge');
    mkdirSync(place, { mode: 0o755 });
    const key = join(place, 'key');
    writeFileSync(key, randomBytes(128), { mode: 0o600 });
    if (user !== undefined) for (const path of [place, key]) chownSync(path, user.uid, user.gid);
    const at = (name: string): string => join(place, name);
    keep(
      'munged',
      daemon(
        'munged',
        [
          '--foreground',
          `--key-file=${key}`,
          `--socket=${at('socket')}`,
          `--pid-file=${at('pid')}`,
          `--log-file=${at('log')}`,
          `--seed-file=${at('seed')}`,
        ],
        user === undefined ? {} : { user },
      ),
    );
    const isThere = async (): Promise<boolean> => readdirSync(place).includes('socket');
    await until('munged listens', isThere, { seconds: START_SECONDS, state });
  };
  const startNode = (node: string): void => {
    mkdirSync(join(folder, `spool-${node}`), { recursive: true });
    const own = { ...environment, [NODE]: node };
    keep(node, daemon('slurmd', ['-D', '-N', node, '-f', configuration], { environment: own }));
  };
  const isUsable = async (node: string): Promise<boolean> => {
    const text = await ask('scontrol', ['--oneliner', 'show', 'node', node]).catch(() => '');
    return /\bState=(IDLE|MIXED|ALLOCATED)(\+PLANNED|\+COMPLETING)*\s/.test(text);
  };
  const stop = async (): Promise<void> => {
    process.off('exit', killAll);
    // First who would start tasks again.
    for (const child of children.values()) await kill(child);
    for (const { process: id } of processesOf(configuration)) killProcess(id);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const killAll = (): void => {
    for (const child of children.values()) child.kill('SIGKILL');
    for (const { process: id } of processesOf(configuration)) killProcess(id);
  };
  process.on('exit', killAll);

  try {
    await startMunge();
    mkdirSync(join(folder, 'state'));
    const ports = await freePorts(count + 1);
    writeFileSync(configuration, configurationText(folder, { ports, processors, memory }));
    keep('slurmctld', daemon('slurmctld', ['-D', '-f', configuration], { environment }));
    for (const node of names) startNode(node);
    const allUsable = async (): Promise<boolean> =>
      (await Promise.all(names.map(isUsable))).every((isSo) => isSo);
    await until('All nodes are there', allUsable, { seconds: START_SECONDS, state });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    environment,
    nodes: names,
    ask,
    tasks() {
      const found = processesOf(configuration);
      const guards = new Set(found.filter(isStepDaemon).map((each) => each.process));
      return found
        .filter((each) => guards.has(each.parent) && !isStepDaemon(each))
        .map(({ process: id, node }) => ({ process: id, node }));
    },
    async loseNode(node, loss) {
      await kill(children.get(node)!);
      if (loss === 'daemon') return;
      for (const each of processesOf(configuration)) if (each.node === node) killProcess(each.process);
    },
    async bringBack(node) {
      startNode(node);
      const isBack = async (): Promise<boolean> => {
        if (await isUsable(node)) return true;
        // As an administrator would, where SLURM asks for one: such as after a task that it could not end.
        await ask('scontrol', ['update', `NodeName=${node}`, 'State=RESUME']).catch(() => undefined);
        return false;
      };
      await until(`${node} is back`, isBack, { seconds: START_SECONDS, state });
    },
    stop,
  };
}
