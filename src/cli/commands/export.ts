import { basename, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { version } from '../../../package.json';
import { readExportedSet } from '../../pipeline/export/exportedSet.js';
import { type ExportFormat, exportFormats } from '../../pipeline/export/formats.js';
import { writeExport } from '../../pipeline/export/writeExport.js';
import { counted } from '../../pipeline/report/wording.js';
import { wholeNumber } from '../optionValues.js';
import { type VoiceFlags, voiceOf } from '../voice.js';

interface ExportFlags extends VoiceFlags {
  readonly to?: readonly ExportFormat[];
  readonly out?: string;
  readonly snapshot?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const parseSnapshot = wholeNumber('--snapshot', { least: 1 });

async function exportRun(run: string, flags: ExportFlags): Promise<void> {
  const formats = [...new Set(flags.to ?? (['safetensors'] as const))];
  const snapshot = flags.snapshot === undefined ? null : parseSnapshot(flags.snapshot);
  const set = await readExportedSet(run, snapshot);
  const out = flags.out ?? join('exports', basename(resolve(run)));
  const files = await writeExport(set, { formats, out, force: flags.force ?? false, version });
  const report = { out, formats, count: set.count, image: set.image, innerStep: set.innerStep, files };
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else
    voiceOf(flags).say(`${counted(set.count, 'image')} as ${formats.join(', ')} with a data card in ${out}`);
}

/** The command `hypergrad export`. */
export function exportCommand(): Command {
  return new Command('export')
    .description("hand over a run's synthetic set with a data card, for other programs")
    .argument('<run>', "the run's folder")
    .addOption(
      new Option(
        '--to <format...>',
        'safetensors or npz for training, png to look at; default: safetensors',
      ).choices(exportFormats),
    )
    .option('--out <folder>', "where the files go; default: exports/ and the run's name")
    .option('--snapshot <iterations>', 'the set as it was after so many iterations, where the run kept it')
    .option('--force', 'replace files that are there already')
    .option('--json', 'print what was written as JSON')
    .action(exportRun);
}
