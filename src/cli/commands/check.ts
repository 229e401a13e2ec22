import { Command } from 'commander';
import { textTable } from '../../autograd/textTable.js';
import { EXIT_CODES } from '../../errors.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { type CheckReport, checkRun } from '../../pipeline/check/checkRun.js';
import type { Finding } from '../../pipeline/check/finding.js';
import { counted } from '../../pipeline/report/wording.js';
import { note } from '../help.js';
import { type VoiceFlags, voiceOf } from '../voice.js';

const states = { done: 'done', other: 'of another configuration', unfinished: 'not finished' } as const;

function findingText({ kind, file, what, means, mends }: Finding): string {
  const name = file === null ? '' : ` ${file}:`;
  return [`${kind === 'flaw' ? 'FLAW' : 'note'}${name} ${what}`, `     ${means}`, `     ${mends}`].join('\n');
}

/** What a check found, in plain text: a row for each stage, then each finding with what it means and what mends it. */
export function describeCheck({ folder, isWhole, stages, files, bytes, findings }: CheckReport): string {
  const table = textTable(
    [
      ['stage', 'state', 'files'],
      ...stages.map(({ stage, state, files: count }) => [stage, states[state], String(count)]),
    ],
    ['left', 'left', 'right'],
  );
  const flaws = findings.filter(({ kind }) => kind === 'flaw').length;
  const verdict = isWhole ? `${folder} is whole` : `${folder} has ${counted(flaws, 'flaw')}`;
  return [
    ...(stages.length === 0 ? [] : [table]),
    ...findings.map(findingText),
    `${verdict}: ${counted(files, 'file')}, ${formatBytes(bytes)}.`,
  ].join('\n\n');
}

async function check(folder: string, flags: VoiceFlags): Promise<void> {
  const report = await checkRun(folder);
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else voiceOf(flags).say(describeCheck(report));
  process.exitCode = report.isWhole ? EXIT_CODES.done : EXIT_CODES.store;
}

/** The command `hypergrad check`. */
export function checkCommand(): Command {
  return new Command('check')
    .description(
      "verify a run's folder without changing it: what is flawed, what it means, and what mends it",
    )
    .argument('<run>', "a run's folder")
    .option('--json', 'print the stages and findings as JSON')
    .addHelpText(
      'after',
      note(
        `Every file that a stage left is read from end to end. Exit code: 0 when the folder is whole, ${EXIT_CODES.store} when something is flawed or it is no run's folder. A run that was broken off is whole: the same command goes on.`,
      ),
    )
    .action(check);
}
