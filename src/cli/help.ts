/** How every command's help looks, and how it says what does not fit. */
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { describePreset, presetNames } from '../pipeline/config/resolve.js';
import { usageSentence } from './errors.js';
import { type Example, examplesOf } from './examples.js';
import { exitCodes } from './exitCodes.js';

/** Commander takes the colour out again where there is none, NO_COLOR and pipes among it. */
const style = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { validateStream: false });
const title = (text: string): string => style('bold', text);

/** A titled list of two columns. */
function list(heading: string, rows: readonly (readonly [term: string, meaning: string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  const lines = rows.map(([term, meaning]) => `  ${style('cyan', term.padEnd(width))}  ${meaning}`);
  return ['', title(heading), ...lines].join('\n');
}

const exampleList = (examples: readonly Example[]): string =>
  list(
    'Examples:',
    examples.map(({ line, effect }) => [line, effect]),
  );

/** The presets, a line each. */
export const presetList = (): string =>
  list(
    'Presets:',
    presetNames.map((name) => [name, describePreset(name)]),
  );

/** What each exit code says. */
export const exitCodeList = (): string =>
  list(
    'Exit codes:',
    exitCodes.map(([code, meaning]) => [String(code), meaning]),
  );

/**
 * Gives a command and those below it their examples and the one look, and makes them throw instead of ending the process, having
 * said in a sentence what does not fit. `path` is the words that lead to the command, without the program's name.
 */
export function finishHelp(command: Command, path = ''): void {
  const name = ['hypergrad', path].join(' ').trim();
  const examples = examplesOf[path];
  if (examples !== undefined) command.addHelpText('after', exampleList(examples));
  command
    .exitOverride()
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: title,
      styleOptionText: (text) => style('cyan', text),
      styleSubcommandText: (text) => style('cyan', text),
      styleArgumentText: (text) => style('cyan', text),
    })
    .configureOutput({ outputError: (text, write) => write(usageSentence(text, name)) });
  for (const each of command.commands) finishHelp(each, [path, each.name()].join(' ').trim());
}
