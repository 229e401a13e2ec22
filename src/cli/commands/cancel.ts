import { resolve } from 'node:path';
import { Command } from 'commander';
import { counted } from '../../pipeline/report/wording.js';
import { type CancelReport, cancelSweep } from '../../pipeline/sweep/slurm/cancel.js';
import { slurmCommands } from '../../pipeline/sweep/slurm/scheduler.js';
import { slurmFolder } from '../../pipeline/sweep/slurm/slurmFolder.js';
import { readGraph } from '../../pipeline/sweep/sweepFolder.js';
import { note } from '../help.js';
import { type VoiceFlags, voiceOf } from '../voice.js';

/** What was cancelled, in a sentence. */
export function describeCancel({ running, queued }: CancelReport): string {
  if (running + queued === 0) return 'SLURM has no job of this sweep.';
  const parts = [
    ...(running > 0 ? [`${counted(running, 'job')} that ran`] : []),
    ...(queued > 0 ? [`${counted(queued, 'job')} that waited`] : []),
  ];
  return `Cancelled ${parts.join(' and ')}. What is done is kept; to go on, give the command of the sweep again.`;
}

async function cancel(sweep: string, flags: VoiceFlags): Promise<void> {
  // A slip of the pen is told as one.
  await readGraph(sweep);
  const report = await cancelSweep(slurmFolder(resolve(sweep)), slurmCommands());
  voiceOf(flags).say(describeCancel(report));
  if (flags.json) process.stdout.write(`${JSON.stringify({ sweep, ...report }, null, 2)}\n`);
}

/** The command `hypergrad cancel`. */
export function cancelCommand(): Command {
  return new Command('cancel')
    .description('take all jobs of a sweep out of SLURM that run or wait there')
    .argument('<sweep-folder>', "a sweep's folder")
    .option('--json', 'print how many there were as JSON')
    .addHelpText(
      'after',
      note(
        'Jobs that run are asked to stop after their step, and keep it. A sweep that runs on this machine is stopped with Ctrl-C.',
      ),
    )
    .action(cancel);
}
