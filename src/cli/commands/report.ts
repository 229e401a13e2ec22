/** The command `hypergrad report`: the page of a finished run made again, or of several runs side by side. */
import { basename, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type Comparison, compareRuns } from '../../pipeline/compare/compareRuns.js';
import { readRun } from '../../pipeline/compare/readRun.js';
import { requirePagePackages } from '../../pipeline/optionalImports.js';
import { openFinished } from '../../pipeline/report/finished.js';
import { readReport } from '../../pipeline/report/readReport.js';
import { renderReport } from '../../pipeline/report/report.js';
import { reportData } from '../../pipeline/report/reportData.js';
import { renderSideBySide, type SideBySide } from '../../pipeline/report/sideBySide.js';
import type { ReportInput } from '../../pipeline/report/types.js';
import { REPORT } from '../../pipeline/store/fileNames.js';
import { note } from '../help.js';
import { requireEnding } from '../optionValues.js';
import { writeOutput } from '../outputFile.js';
import { voiceOf } from '../voice.js';

interface ReportFlags {
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What the page calls each run: the last part of its path where these differ. */
function shortNames(folders: readonly string[]): string[] {
  const names = folders.map((folder) => basename(resolve(folder)));
  return new Set(names).size === names.length ? names : [...folders];
}

/** Reads runs, and puts them in the order in which they are compared. */
async function readTogether(folders: readonly string[]): Promise<SideBySide> {
  const names = new Map(shortNames(folders).map((name, place) => [folders[place]!, name] as const));
  const reports = new Map<string, ReportInput>();
  const runs = [];
  for (const folder of folders) {
    reports.set(folder, await readReport(await openFinished(folder)));
    runs.push(await readRun(folder));
  }
  const comparison = compareRuns(runs);
  const named: Comparison = {
    ...comparison,
    runs: comparison.runs.map((run) => ({ ...run, name: names.get(run.name)! })),
  };
  return { comparison: named, reports: comparison.runs.map(({ name }) => reports.get(name)!) };
}

async function report(folders: readonly string[], flags: ReportFlags): Promise<void> {
  const { out } = flags;
  if (!flags.json) requireEnding('--out', out, '.html', '.htm');
  if (!flags.json) await requirePagePackages();
  const together = await readTogether(folders);
  const { comparison, reports } = together;
  if (flags.json) {
    const runs = await Promise.all(
      reports.map(async (each, place) => ({ ...comparison.runs[place]!, ...(await reportData(each)) })),
    );
    process.stdout.write(`${JSON.stringify({ comparison, runs }, null, 2)}\n`);
    return;
  }
  const [only] = reports;
  const page = reports.length === 1 ? await renderReport(only!) : await renderSideBySide(together);
  await writeOutput('--out', out, page);
  voiceOf(flags).say(`Report: ${out}`);
}

/** The command `hypergrad report`. */
export function reportCommand(): Command {
  return new Command('report')
    .description("make the page of a finished run's report again, or one page of several runs side by side")
    .argument('<run...>', "runs' folders")
    .addOption(
      new Option('--out <file>', 'where the page is written (.html)').default(
        REPORT,
        `${REPORT} in this folder`,
      ),
    )
    .addOption(
      new Option('--json', 'print the data behind the page as JSON, and write no page').conflicts('out'),
    )
    .addHelpText(
      'after',
      note(
        'Reads the folders only, and opens no device. One run gives the page that hypergrad run left in its folder; several runs on the same data are laid beside each other as hypergrad compare does, with curves, images and times.',
      ),
    )
    .action(report);
}
