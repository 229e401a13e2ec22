/** The command `hypergrad config`: what a run would compute with, every value explained. */
import { Command, Option } from 'commander';
import { commentedYaml } from '../../pipeline/config/commentedYaml.js';
import { configJsonSchema } from '../../pipeline/config/describe.js';
import { askedConfig, type ConfigFlags, commandLine, withConfigOptions } from '../asked.js';
import { note } from '../help.js';

interface PrintFlags extends ConfigFlags {
  readonly json?: boolean;
  readonly schema?: boolean;
}

function config(file: string | undefined, flags: PrintFlags): void {
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  if (flags.schema) {
    print(configJsonSchema());
    return;
  }
  const resolved = askedConfig(file, flags);
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
  return withConfigOptions(new Command('config'))
    .description('print every value that a run would have, with its meaning, range and default, as YAML')
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
