/** The command `hypergrad presets`: what can be run as it is. */
import { Command } from 'commander';
import { describePreset, presetNames, resolveConfig } from '../../pipeline/config/resolve.js';
import { subsetSize } from '../../pipeline/config/rules.js';
import { note } from '../help.js';

/** A preset in short; counts are null where only the dataset's files tell. */
interface PresetSummary {
  readonly name: string;
  readonly description: string;
  /** `data.source`. */
  readonly source: string;
  readonly trainingImages: number | null;
  readonly syntheticImages: number | null;
}

function summaryOf(name: string): PresetSummary {
  const { data, subset } = resolveConfig({ preset: name, sets: [] });
  return {
    name,
    description: describePreset(name),
    source: data.source,
    trainingImages: data.train,
    syntheticImages: data.train === null ? null : subsetSize(subset.fraction, data.train),
  };
}

function presets({ json }: { readonly json?: boolean }): void {
  const summaries = presetNames.map(summaryOf);
  const width = Math.max(...presetNames.map((name) => name.length));
  const text = json
    ? JSON.stringify(summaries, null, 2)
    : summaries.map(({ name, description }) => `${name.padEnd(width)}  ${description}`).join('\n');
  process.stdout.write(`${text}\n`);
}

/** The command `hypergrad presets`. */
export function presetsCommand(): Command {
  return new Command('presets')
    .description('list the presets, with what each is for')
    .option('--json', 'print them as JSON, with their datasets and numbers of images')
    .addHelpText('after', note('hypergrad config --preset NAME prints every value of one.'))
    .action(presets);
}
