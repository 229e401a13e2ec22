/** The configuration that a command is asked for, by file, preset and options, and the command line that asks for it again. */
import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import type { DeviceChoice, OpenDeviceOptions } from '../gpu/node/openDevice.js';
import { resolveConfig } from '../pipeline/config/resolve.js';
import type { Config } from '../pipeline/config/schema.js';
import { quote } from '../pipeline/shellWord.js';
import { collect, wholeNumber } from './optionValues.js';

/** What is run when neither a file nor a preset is named. */
export const DEFAULT_PRESET = 'mnist-small';

/** What the user typed to choose a configuration, the file aside. */
export interface ConfigFlags {
  readonly preset?: string;
  readonly data?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
}

/** The choice of a device. */
export interface DeviceFlags {
  readonly device?: DeviceChoice;
}

/** A seed from the command line; the configuration's schema knows the largest. Throws `ConfigError`. */
export const parseSeed = wholeNumber('--seed', { least: 0 });

/** The preset that is meant where `file` says the rest. */
const presetOf = (file: string | undefined, { preset }: ConfigFlags): string | undefined =>
  preset ?? (file === undefined ? DEFAULT_PRESET : undefined);

/** The configuration that is asked for. Throws `ConfigError`. */
export const askedConfig = (file: string | undefined, flags: ConfigFlags): Config =>
  resolveConfig({
    preset: presetOf(file, flags),
    file,
    sets: flags.set ?? [],
    seed: flags.seed === undefined ? undefined : parseSeed(flags.seed),
    dataFolder: flags.data,
  });

/** What the folder of what is asked for is called after: its file, else its preset. */
export const askedName = (file: string | undefined, { preset = DEFAULT_PRESET }: ConfigFlags): string =>
  file === undefined ? preset : basename(file, extname(file));

/** Adds the argument and the options that choose a configuration. */
export const withConfigOptions = (command: Command): Command =>
  command
    .argument('[config]', `configuration file in YAML or JSON; without one, the preset ${DEFAULT_PRESET}`)
    .option('--preset <name>', 'start from a preset')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--seed <number>', 'seed of every random stream')
    .option('--set <path=value>', 'set one value of the configuration; may be given again', collect);

/** The device that is asked for. */
export const deviceOf = ({ device }: DeviceFlags): OpenDeviceOptions =>
  device === undefined ? {} : { choice: device };

/**
 * A command and the options by which its values came to be, as a shell reads it back.
 *
 * @param command such as `run` or `study variance`
 */
export function commandLine(
  command: string,
  file: string | undefined,
  flags: ConfigFlags & DeviceFlags & { readonly run?: string },
): string {
  const words = ['hypergrad', ...command.split(' ')];
  if (file !== undefined) words.push(file);
  for (const [option, value] of [
    ['--preset', presetOf(file ?? flags.run, flags)],
    ['--run', flags.run],
    ['--data', flags.data],
    ['--seed', flags.seed],
    ['--device', flags.device],
  ] as const) {
    if (value !== undefined) words.push(option, value);
  }
  for (const setting of flags.set ?? []) words.push('--set', setting);
  return words.map(quote).join(' ');
}
