/** How every command's help looks, and how it says what does not fit. */
import { styleText } from 'node:util';
import {
  type AddHelpTextContext,
  type Argument,
  type Command,
  type Help,
  InvalidArgumentError,
  type Option,
} from 'commander';
import { describePreset, presetNames } from '../pipeline/config/resolve.js';
import { didYouMean } from '../suggest.js';
import { usageSentence } from './errors.js';
import { examplesOf } from './examples.js';
import { exitCodes } from './exitCodes.js';

/** What stands below a help's own parts, as Commander asks for it. */
type HelpText = (context: AddHelpTextContext) => string;

/** Characters of a line where nothing tells how many there are. */
const USUAL_WIDTH = 80;
/** What a second column needs to be read with ease; a list that leaves it less is set in lines below each other. */
const LEAST_COLUMN = 36;
const INDENT = 2;
const BELOW = 6;

/** Commander takes the colour out again where there is none, NO_COLOR and pipes among it. */
const style = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { validateStream: false });
const title = (text: string): string => style('bold', text);

/** What wraps a text as the rest of the help is wrapped. */
function helperOf({ command, error }: AddHelpTextContext): Help & { readonly helpWidth: number } {
  const { getErrHelpWidth, getOutHelpWidth } = command.configureOutput();
  const helpWidth = (error ? getErrHelpWidth?.() : getOutHelpWidth?.()) ?? USUAL_WIDTH;
  return Object.assign(command.createHelp(), { helpWidth, minWidthToWrap: LEAST_COLUMN });
}

/** A titled list: terms and meanings side by side, or each meaning below its term where a line has no room for both. */
const list =
  (heading: string, rows: readonly (readonly [term: string, meaning: string])[]): HelpText =>
  (context) => {
    const helper = helperOf(context);
    const width = Math.max(...rows.map(([term]) => term.length));
    const hasRoom = helper.helpWidth - width - 2 * INDENT >= LEAST_COLUMN;
    const lines = rows.map(([term, meaning]) => {
      if (hasRoom) return helper.formatItem(style('cyan', term), width, meaning, helper);
      const below = helper
        .boxWrap(meaning, helper.helpWidth - BELOW)
        .replaceAll('\n', `\n${' '.repeat(BELOW)}`);
      return `${' '.repeat(INDENT)}${style('cyan', term)}\n${' '.repeat(BELOW)}${below}`;
    });
    return ['', title(heading), ...lines].join('\n');
  };

/** Paragraphs below the options, a line of the text each. */
export const note =
  (text: string): HelpText =>
  (context) => {
    const helper = helperOf(context);
    return `\n${helper.boxWrap(text, helper.helpWidth)}`;
  };

/** The presets, with what each is for. */
export const presetList = (): HelpText =>
  list(
    'Presets:',
    presetNames.map((name) => [name, describePreset(name)]),
  );

/** The environment variables that every command reads. */
export const environment = [
  [
    'HYPERGRAD_DEVICE',
    'which device computes where no --device says it: auto, hardware, software or bundled',
  ],
  ['HYPERGRAD_DEVICE_TIMEOUT', 'seconds after which a device that answers nothing is given up (1800)'],
  ['HYPERGRAD_TUNING', 'off: without the block sizes that hypergrad tune has kept'],
  [
    'HYPERGRAD_CACHE',
    'folder for the unpacked bundled device, tunings, hashes of data, and images beyond data.memory',
  ],
  ['HYPERGRAD_DEBUG', 'as --debug'],
  ['NO_COLOR', 'no colour on terminals either'],
] as const;

/** What each environment variable does. */
export const environmentList = (): HelpText => list('Environment variables:', environment);

/** What each exit code says. */
export const exitCodeList = (): HelpText =>
  list(
    'Exit codes:',
    exitCodes.map(([code, meaning]) => [String(code), meaning]),
  );

/** Has a word that is none of the choices told with the one that is like it. */
function suggestChoices(taker: Option | Argument): void {
  const { argChoices, parseArg } = taker;
  if (argChoices === undefined || parseArg === undefined) return;
  taker.argParser((value: string, before: unknown) => {
    if (argChoices.includes(value)) return parseArg(value, before);
    const meant = didYouMean(value, argChoices).trimStart();
    throw new InvalidArgumentError(`${meant} Allowed choices are ${argChoices.join(', ')}.`.trimStart());
  });
}

/**
 * Gives a command and those below it their examples and the one look, and makes them throw instead of ending the process, having
 * said in a sentence what does not fit. `path` is the words that lead to the command, without the program's name.
 */
export function finishHelp(command: Command, path = ''): void {
  const name = ['hypergrad', path].join(' ').trim();
  const examples = examplesOf[path];
  if (examples !== undefined) {
    command.addHelpText(
      'after',
      list(
        'Examples:',
        examples.map(({ line, effect }) => [line, effect]),
      ),
    );
  }
  if (path !== '') command.addHelpText('after', note('hypergrad --help lists the exit codes.'));
  for (const each of [...command.options, ...command.registeredArguments]) suggestChoices(each);
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
