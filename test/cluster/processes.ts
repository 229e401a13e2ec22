/** The processes that a cluster's nodes have started. */
import { readdirSync, readFileSync } from 'node:fs';

/** The variable by which what a node's daemon starts is known; tasks have SLURM's own as well. */
export const NODE = 'HYPERGRAD_TEST_NODE';

/** Ends a process at once; false where it has ended by itself. */
export function killProcess(id: number): boolean {
  try {
    process.kill(id, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** A process of a node. */
export interface NodeProcess {
  readonly process: number;
  readonly node: string;
  readonly name: string;
  readonly parent: number;
}

/** All processes of tasks and of those who look after them, known by the variables that they were started with. */
export function processesOf(configuration: string): NodeProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      try {
        const variables = readFileSync(`/proc/${id}/environ`, 'utf8').split('\0');
        if (!variables.includes(`SLURM_CONF=${configuration}`)) return [];
        const node = variables.find((each) => /^(HYPERGRAD_TEST_NODE|SLURMD_NODENAME)=/.test(each));
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

/** Whether a process is SLURM's, and looks after one task. */
export const isStepDaemon = ({ name }: Pick<NodeProcess, 'name'>): boolean => name.startsWith('slurmstepd');
