/** The configuration of a cluster whose nodes are all one machine. */
import { hostname } from 'node:os';

/** The configuration of a cluster whose nodes are all this machine. Times are short, so that a lost node is missed within seconds. */
export function configurationText(
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
    'SchedulerType=sched/backfill',
    'SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0',
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
