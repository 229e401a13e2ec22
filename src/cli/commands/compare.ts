import { Command, Option } from 'commander';
import { compareRuns } from '../../pipeline/compare/compareRuns.js';
import { readRun } from '../../pipeline/compare/readRun.js';
import { comparisonCsv, comparisonMarkdown, comparisonText } from '../../pipeline/compare/tables.js';
import { plainText } from '../../pipeline/report/text.js';
import { note } from '../help.js';
import { voiceOf } from '../voice.js';

interface CompareFlags {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly markdown?: boolean;
  readonly quiet?: boolean;
}

async function compare(folders: readonly string[], flags: CompareFlags): Promise<void> {
  const runs = [];
  for (const folder of folders) runs.push(await readRun(folder));
  const comparison = compareRuns(runs);
  const { stdout } = process;
  if (flags.json) stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
  else if (flags.csv) stdout.write(comparisonCsv(comparison));
  else {
    const text = flags.markdown
      ? comparisonMarkdown(comparison)
      : comparisonText(comparison, stdout.isTTY ? stdout.columns : undefined);
    voiceOf(flags).say(plainText([text.trimEnd()]));
  }
}

/** The command `hypergrad compare`. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('show finished runs on the same data side by side, and over seeds')
    .argument('<run...>', "runs' folders")
    .addOption(new Option('--json', 'print the comparison as JSON').conflicts(['csv', 'markdown']))
    .addOption(new Option('--csv', 'print one measured number a line as CSV').conflicts(['markdown']))
    .option('--markdown', 'print Markdown tables')
    .addHelpText(
      'after',
      note(
        'Runs whose configurations differ in the seed alone are also taken together. Differences between MKDT and the subsets are paired by seed.',
      ),
    )
    .action(compare);
}
