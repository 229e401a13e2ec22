/** The command `hypergrad config`: what a run would compute with, every value explained. */
import { Command, Option } from 'commander';
import { commentedYaml } from '../../pipeline/config/commentedYaml.js';
import { configJsonSchema } from '../../pipeline/config/describe.js';
import { resolveConfig } from '../../pipeline/config/resolve.js';
import { note } from '../help.js';
import { collect } from '../repeatable.js';
import { commandLine, DEFAULT_PRESET, parseSeed } from './run.js';

interface ConfigFlags {
  readonly preset?: string;
  readonly data?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
  readonly schema?: boolean;
}

function config(file: string | undefined, flags: ConfigFlags): void {
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  if (flags.schema) {
    print(configJsonSchema());
    return;
  }
  const preset = flags.preset ?? (file === undefined ? DEFAULT_PRESET : undefined);
  const resolved = resolveConfig({
    preset,
    file,
    sets: flags.set ?? [],
    seed: flags.seed === undefined ? undefined : parseSeed(flags.seed),
    dataFolder: flags.data,
  });
  if (flags.json) print(resolved);
  else {
    // A line break in a name would end the comment.
    const source = commandLine('config', file, flags).replaceAll(/[\r\n]/g, ' ');
    process.stdout.write(
      commentedYaml(resolved, { lines: [`Every value of a run, as printed by: ${source}`] }),
    );
  }
}

/** The command `hypergrad config`. */
export function configCommand(): Command {
  return new Command('config')
    .description('print every value that a run would have, with its meaning, range and default, as YAML')
    .argument('[config]', `configuration file in YAML or JSON; without one, the preset ${DEFAULT_PRESET}`)
    .option('--preset <name>', 'start from a preset')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--seed <number>', 'seed of every random stream of the run')
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect)
    .option('--json', 'print the values as JSON, without comments')
    .addOption(
      new Option(
        '--schema',
        'print the JSON Schema of a configuration file, with which editors complete and check it',
      ).conflicts(['preset', 'data', 'seed', 'set', 'json']),
    )
    .addHelpText(
      'after',
      note(`What is printed is a configuration itself: hypergrad run takes it as a file. An editor with the YAML language server completes a file whose first line is
  # yaml-language-server: $schema=hypergrad.schema.json
from the schema in that file beside it; hypergrad init writes both.`),
    )
    .action(config);
}
