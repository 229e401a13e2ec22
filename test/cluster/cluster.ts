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

export interface ClusterOptions {
  readonly nodes: number;
  /** Processors that each node says it has; 1 by default. */
  readonly processors?: number;
  /** MiB of memory that each node says it has; 4096 by default. */
  readonly memory?: number;
}

/** Programs by which a cluster is asked and told. */
type Command = 'sbatch' | 'squeue' | 'scancel' | 'scontrol';

/** What the daemons said last, for errors. */
const LINES_KEPT = 20;

/** A cluster, with all of its daemons. */
export class Cluster {
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  readonly #folder: string;
  readonly #daemons = new Map<string, ChildProcess>();
  readonly #said: string[] = [];

  private constructor(folder: string, nodes: number) {
    this.#folder = folder;
    this.nodes = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
    process.on('exit', this.#killAll);
  }

  /** Starts a cluster. Throws where a daemon does not come up, with what it said. */
  static async start({ nodes, processors = 1, memory = 4096 }: ClusterOptions): Promise<Cluster> {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'hypergrad-slurm-'));
    // munged wants nobody but the owner to write above its socket, and everybody to come through.
    chmodSync(folder, 0o755);
    const cluster = new Cluster(folder, nodes);
    try {
      await cluster.#startMunge();
      const ports = await freePorts(nodes + 1);
      mkdirSync(join(folder, 'state'));
      writeFileSync(cluster.#configuration, configurationText(folder, { ports, processors, memory }));
      cluster.#keep('slurmctld', daemon('slurmctld', ['-D', '-f', cluster.#configuration], cluster));
      for (const node of cluster.nodes) cluster.#startNode(node);
      const areUsable = async (): Promise<boolean> =>
        (await Promise.all(cluster.nodes.map((node) => cluster.#isUsable(node)))).every((isSo) => isSo);
      await cluster.#await('All nodes are there', areUsable);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Variables with which SLURM's commands, and what calls them, find this cluster. */
  get environment(): Record<string, string> {
    return { SLURM_CONF: this.#configuration };
  }

  /** Calls one of SLURM's commands and gives what it printed. */
  async ask(program: Command, args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.environment };
    return (await execute(whereIs(program)!, [...args], { env, maxBuffer: 2 ** 24 })).stdout;
  }

  /** Ids of the processes of tasks, by node: those that batch scripts became, not what these started. */
  tasks(): { readonly node: string; readonly process: number }[] {
    const found = processesOf(this.#configuration);
    const guards = new Set(found.filter(isStepDaemon).map((each) => each.process));
    return found
      .filter((each) => guards.has(each.parent) && !isStepDaemon(each))
      .map(({ process: id, node }) => ({ process: id, node }));
  }

  /** Takes a node down. The controller notices by itself. */
  async loseNode(node: string, loss: NodeLoss): Promise<void> {
    await kill(this.#daemons.get(node)!);
    if (loss === 'daemon') return;
    for (const each of processesOf(this.#configuration)) if (each.node === node) killProcess(each.process);
  }

  /** Starts a node's daemon again and waits until the controller uses it. */
  async bringBack(node: string): Promise<void> {
    this.#startNode(node);
    await this.#await(`${node} is back`, async () => {
      if (await this.#isUsable(node)) return true;
      // As an administrator would, where SLURM asks for one: such as after a task that it could not end.
      await this.ask('scontrol', ['update', `NodeName=${node}`, 'State=RESUME']).catch(() => undefined);
      return false;
    });
  }

  /** Lets tasks begin that were on a lost node: SLURM holds some of them back for two minutes. */
  async hasten(): Promise<void> {
    const held = await this.ask('squeue', ['--array', '--noheader', '--states=PENDING', '--format=%i %r']);
    for (const line of held.split('\n')) {
      const [id, reason] = line.trim().split(' ');
      if (reason !== 'BeginTime') continue;
      await this.ask('scontrol', ['update', `JobId=${id}`, 'StartTime=now']).catch(() => undefined);
    }
  }

  /** Ends all tasks and daemons, and removes what they kept. */
  async stop(): Promise<void> {
    process.off('exit', this.#killAll);
    // First who would start tasks again.
    for (const child of this.#daemons.values()) await kill(child);
    for (const { process: id } of processesOf(this.#configuration)) killProcess(id);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #configuration(): string {
    return join(this.#folder, 'slurm.conf');
  }

  readonly #killAll = (): void => {
    for (const child of this.#daemons.values()) child.kill('SIGKILL');
    for (const { process: id } of processesOf(this.#configuration)) killProcess(id);
  };

  #keep(name: string, child: ChildProcess): void {
    this.#daemons.set(name, child);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said.push(`${name}: ${text.trim()}`);
      if (this.#said.length > LINES_KEPT) this.#said.shift();
    });
  }

  async #await(what: string, isSo: () => Promise<boolean>): Promise<void> {
    await until(what, isSo, { seconds: START_SECONDS, state: () => this.#said.join('\n') });
  }

  async #startMunge(): Promise<void> {
    const user = process.getuid!() === 0 ? userOf(MUNGE_USER) : undefined;
    const place = join(this.#folder, 'munge');
    const at = (name: string): string => join(place, name);
    mkdirSync(place, { mode: 0o755 });
    writeFileSync(at('key'), randomBytes(128), { mode: 0o600 });
    if (user !== undefined) for (const path of [place, at('key')]) chownSync(path, user.uid, user.gid);
    const files = { key: 'key-file', socket: 'socket', pid: 'pid-file', log: 'log-file', seed: 'seed-file' };
    const options = Object.entries(files).map(([name, option]) => `--${option}=${at(name)}`);
    this.#keep('munged', daemon('munged', ['--foreground', ...options], user === undefined ? {} : { user }));
    await this.#await('munged listens', async () => readdirSync(place).includes('socket'));
  }

  #startNode(node: string): void {
    mkdirSync(join(this.#folder, `spool-${node}`), { recursive: true });
    const environment = { ...this.environment, [NODE]: node };
    this.#keep(node, daemon('slurmd', ['-D', '-N', node, '-f', this.#configuration], { environment }));
  }

  async #isUsable(node: string): Promise<boolean> {
    const text = await this.ask('scontrol', ['--oneliner', 'show', 'node', node]).catch(() => '');
    return /\bState=(IDLE|MIXED|ALLOCATED)(\+PLANNED|\+COMPLETING)*\s/.test(text);
  }
}
