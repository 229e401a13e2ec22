import { basename, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { version } from '../../../package.json';
import { ConfigError } from '../../errors.js';
import { readExportedSet } from '../../pipeline/export/exportedSet.js';
import { type ExportFormat, exportFormats } from '../../pipeline/export/formats.js';
import { writeExport } from '../../pipeline/export/writeExport.js';

interface ExportFlags {
  readonly to?: readonly ExportFormat[];
  readonly out?: string;
  readonly snapshot?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

function parseSnapshot(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new ConfigError(
      `--snapshot ${JSON.stringify(text)} must be a number of iterations after which the run kept one, such as --snapshot 100.`,
    );
  }
  return Number(text);
}

async function exportRun(run: string, flags: ExportFlags): Promise<void> {
  const formats = [...new Set(flags.to ?? (['safetensors'] as const))];
  const snapshot = flags.snapshot === undefined ? null : parseSnapshot(flags.snapshot);
  const set = await readExportedSet(run, snapshot);
  const out = flags.out ?? join('exports', basename(resolve(run)));
  const files = await writeExport(set, { formats, out, force: flags.force ?? false, version });
  const report = { out, formats, count: set.count, image: set.image, innerStep: set.innerStep, files };
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(report, null, 2)}\n`
      : `${set.count} images as ${formats.join(', ')} with a data card in ${out}\n`,
  );
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
