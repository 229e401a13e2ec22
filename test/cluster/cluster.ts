/**
 * A real SLURM on this machine: its controller, several nodes and the authentication that they share, started from nothing, with all
 * that they keep in a folder of their own, and gone without a trace when it is stopped. It changes nothing of the system's own SLURM.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

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
type Program = keyof typeof PROGRAMS;

/** Daemons often lie where only root's path leads. */
const PLACES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(Boolean);
const MUNGE_USER = 'munge';
/** Seconds in which the whole cluster has to be there. */
const START_SECONDS = 30;
/** Milliseconds between two looks at what is awaited. */
const LOOK_AGAIN = 100;

function whereIs(program: Program): string | undefined {
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

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A user as /etc/passwd has it. */
function userOf(name: string): User | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

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

/** The configuration of a cluster whose nodes are all this machine. Times are short, so that a lost node is missed within seconds. */
function configurationText(
  folder: string,
  { ports, processors, memory }: { ports: readonly number[]; processors: number; memory: number },
): string {
  const user = process.getuid!() === 0 ? 'root' : String(process.getuid!());
  const [controller, ...nodes] = ports;
  return [
    'ClusterName=hypergrad',
    `SlurmctldHost=${hostname()}(127.0.0.1)`,
    `SlurmUser=${user}`,
    `SlurmdUser=${user}`,
    'AuthType=auth/munge',
    'CredType=cred/munge',
    // A task of a lost node may begin anew after so many seconds.
    `AuthInfo=socket=${folder}/munge/socket,cred_expire=2`,
    `SlurmctldPort=${controller}`,
    `SlurmctldPidFile=${folder}/slurmctld.pid`,
    `SlurmctldLogFile=${folder}/slurmctld.log`,
    `SlurmdPidFile=${folder}/slurmd-%n.pid`,
    `SlurmdLogFile=${folder}/slurmd-%n.log`,
    `SlurmdSpoolDir=${folder}/spool-%n`,
    `StateSaveLocation=${folder}/state`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'MpiDefault=none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    'MailProg=/bin/true',
    'SchedulerType=sched/builtin',
    'SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=0,sched_max_job_start=0',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU_Memory',
    'SlurmdParameters=config_overrides',
    'ReturnToService=2',
    'SlurmdTimeout=4',
    'KillWait=2',
    'MessageTimeout=5',
    'BatchStartTimeout=10',
    'MinJobAge=3600',
    ...nodes.map(
      (port, index) =>
        `NodeName=n${index + 1} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${port} CPUs=${processors} RealMemory=${memory}`,
    ),
    `PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
}

/** A program that ends when this process does, however that ends. */
function daemon(
  program: Program,
  args: readonly string[],
  { user, environment = {} }: { readonly user?: User; readonly environment?: Record<string, string> } = {},
): ChildProcess {
  const asUser =
    user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return spawn(
    whereIs('setpriv')!,
    [...asUser, '--pdeathsig', 'KILL', '--', whereIs(program)!, ...args],
    // A group of its own: Ctrl-C on a test's terminal is for the test, which then stops the cluster in order.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, ...environment } },
  );
}

/** Ends a child at once. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

const killProcess = (id: number): void => {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
};

interface Found {
  readonly process: number;
  readonly node: string;
  readonly name: string;
  readonly parent: number;
}

/** All processes of tasks and of those who look after them, known by the variables that they were started with. */
function processesOf(configuration: string): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      try {
        const variables = readFileSync(`/proc/${id}/environ`, 'utf8').split('\0');
        if (!variables.includes(`SLURM_CONF=${configuration}`)) return [];
        const node = variables.find((each) => each.startsWith('SLURMD_NODENAME=') || each.startsWith(NODE));
        if (node === undefined) return [];
        const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
        const end = stat.lastIndexOf(')');
        return [
          {
            process: Number(id),
            node: node.slice(node.indexOf('=') + 1),
            name: stat.slice(stat.indexOf('(') + 1, end),
            parent: Number(stat.slice(end + 2).split(' ')[1]),
          },
        ];
      } catch {
        // It has ended meanwhile, or is another user's.
        return [];
      }
    });
}

/** The variable by which what a node's daemon starts is known. */
const NODE = 'HYPERGRAD_TEST_NODE=';
const STEP_DAEMON = /^slurmstepd/;

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
    const own = { ...environment, [NODE.slice(0, -1)]: node };
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
      const guards = new Set(found.filter(({ name }) => STEP_DAEMON.test(name)).map((each) => each.process));
      return found
        .filter(({ parent, name }) => guards.has(parent) && !STEP_DAEMON.test(name))
        .map(({ process: id, node }) => ({ process: id, node }));
    },
    async loseNode(node, loss) {
      await kill(children.get(node)!);
      if (loss === 'daemon') return;
      for (const each of processesOf(configuration)) if (each.node === node) killProcess(each.process);
    },
    async bringBack(node) {
      startNode(node);
      await until(`${node} is back`, () => isUsable(node), { seconds: START_SECONDS, state });
    },
    stop,
  };
}
