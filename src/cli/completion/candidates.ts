/**
 * What can stand where the cursor is, told from the program's own commands, options and arguments. The scripts in `scripts.ts` ask
 * for it at every press of the tab key.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Argument, Command, Option } from 'commander';
import { describeGroup, fieldDescriptions } from '../../pipeline/config/describe.js';
import { describePreset, presetNames } from '../../pipeline/config/resolve.js';
import { stageNames } from '../../pipeline/progress.js';
import { MANIFEST } from '../../pipeline/store/manifest.js';
import { SWEEP } from '../../pipeline/sweep/sweepFolder.js';

/** A word that fits, and what it means; a word that ends in `=`, `.` or `/` goes on. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Candidates for a value of which this much is typed; they need not begin with it. */
type Source = (typed: string) => readonly Candidate[];

const presets: Source = () => presetNames.map((value) => ({ value, description: describePreset(value) }));

/** "path=value" for one value, and the next part of a path: a group is entered before its fields are shown. */
const settings: Source = (typed) => {
  const equals = typed.indexOf('=');
  if (equals >= 0) {
    const field = fieldDescriptions().find(({ path }) => path === typed.slice(0, equals));
    return (field?.values ?? []).map((value) => ({
      value: `${field!.path}=${value}`,
      description: String(field!.default) === value ? 'default' : '',
    }));
  }
  const found = new Map<string, string>();
  for (const { path, description, range } of fieldDescriptions()) {
    if (!path.startsWith(typed)) continue;
    const end = path.indexOf('.', typed.length);
    if (end < 0) found.set(`${path}=`, `${description} (${range})`);
    else found.set(path.slice(0, end + 1), describeGroup(path.slice(0, end)));
  }
  return [...found].map(([value, description]) => ({ value, description }));
};

const stages: Source = () => stageNames.map((value) => ({ value, description: 'a stage' }));

/** Folders that hold such a file: in the usual place, and beside what is typed. */
const foldersWith =
  (file: string, usual: string, description: string): Source =>
  (typed) => {
    const parents = new Set([usual, typed.endsWith('/') ? typed.slice(0, -1) || '/' : dirname(typed)]);
    return [...parents].flatMap((parent) => {
      try {
        return readdirSync(parent, { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && existsSync(join(parent, entry.name, file)))
          .map(({ name }) => ({ value: join(parent, name), description }));
      } catch {
        return [];
      }
    });
  };

const runs = foldersWith(MANIFEST, 'runs', 'a run');
const sweeps = foldersWith(SWEEP, 'sweeps', 'a sweep');

/** What options and arguments take, beside those with choices of their own; files are the shell's to complete. */
const optionSources: Readonly<Record<string, Source>> = {
  '--preset': presets,
  '--set': settings,
  '--force': stages,
  '--run': runs,
  '--teacher': runs,
  '--out': runs,
  '--sweep': sweeps,
};
const argumentSources: Readonly<Record<string, Source>> = { run: runs, set: runs, 'sweep-folder': sweeps };

const choicesOf = (choices: readonly string[] | undefined): Source | undefined =>
  choices && (() => choices.map((value) => ({ value, description: '' })));

/** Commands whose folders are of sweeps. */
const sweepCommands: ReadonlySet<string> = new Set(['sweep', 'plan']);

/** An option that names a file has the shell's own candidates, whatever it is called elsewhere. */
function sourceOfOption({ long, flags, argChoices }: Option, command: Command): Source | undefined {
  if (argChoices !== undefined) return choicesOf(argChoices);
  if (flags.endsWith('<file>')) return undefined;
  return long === '--out' && sweepCommands.has(command.name()) ? sweeps : optionSources[long ?? ''];
}
const sourceOfArgument = (argument: Argument | undefined): Source | undefined =>
  argument && (choicesOf(argument.argChoices) ?? argumentSources[argument.name()]);

/** A command's options and those of the commands above it. */
function optionsOf(command: Command): Option[] {
  const inherited = command.parent === null ? [] : optionsOf(command.parent);
  return [...command.createHelp().visibleOptions(command), ...inherited];
}

/** Where the words before the cursor lead. */
interface Place {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  /** How many of the command's arguments are there already. */
  readonly argumentCount: number;
  /** Whether `--` stood before: no options any more. */
  readonly isPlain: boolean;
  readonly given: ReadonlySet<string>;
}

function placeAfter(program: Command, words: readonly string[]): Place {
  let command = program;
  let pending: Option | undefined;
  let argumentCount = 0;
  let isPlain = false;
  const given = new Set<string>();
  for (const word of words) {
    if (pending !== undefined && !(pending.optional && word.startsWith('-'))) {
      pending = undefined;
      continue;
    }
    pending = undefined;
    if (isPlain || !word.startsWith('-')) {
      const next = isPlain ? undefined : command.commands.find((each) => each.name() === word);
      if (next === undefined) argumentCount += 1;
      else command = next;
    } else if (word === '--') isPlain = true;
    else {
      const option = optionsOf(command).find(({ long, short }) => long === word || short === word);
      if (option === undefined) continue;
      given.add(option.long ?? '');
      if (option.required || option.optional) pending = option;
    }
  }
  return { command, pending, argumentCount, isPlain, given };
}

function optionCandidates({ command, given }: Place, typed: string): Candidate[] {
  const equals = typed.indexOf('=');
  if (equals >= 0) {
    const name = typed.slice(0, equals);
    const option = optionsOf(command).find(({ long }) => long === name);
    const source = option && sourceOfOption(option, command);
    return (source?.(typed.slice(equals + 1)) ?? []).map(({ value, description }) => ({
      value: `${name}=${value}`,
      description,
    }));
  }
  return optionsOf(command)
    .filter(({ long, parseArg }) => !given.has(long ?? '') || parseArg !== undefined)
    .flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
}

/**
 * What fits in place of the last word, which is typed so far, or empty; `words` begins after the program's name. Empty where files
 * may stand, and where nothing fits.
 */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const typed = words.at(-1) ?? '';
  const place = placeAfter(program, words.slice(0, -1));
  const { command, pending, argumentCount, isPlain } = place;
  const all = (): readonly Candidate[] => {
    if (pending !== undefined && !(pending.optional && typed.startsWith('-'))) {
      return sourceOfOption(pending, command)?.(typed) ?? [];
    }
    if (typed.startsWith('-') && !isPlain) return optionCandidates(place, typed);
    const { registeredArguments: takes } = command;
    const last = takes.at(-1);
    const argument = takes[argumentCount] ?? (last?.variadic ? last : undefined);
    const commands = argumentCount > 0 ? [] : command.createHelp().visibleCommands(command);
    return [
      ...commands.map((each) => ({ value: each.name(), description: each.description() })),
      ...(sourceOfArgument(argument)?.(typed) ?? []),
    ];
  };
  const seen = new Set<string>();
  return all().filter(({ value }) => {
    const isNew = !seen.has(value);
    seen.add(value);
    return isNew && value.startsWith(typed);
  });
}

/** Words as bash gives them, which takes `=` for a word of its own, put together again. */
export function rejoinWords(words: readonly string[]): string[] {
  const joined: string[] = [];
  let continues = false;
  for (const word of words) {
    if (joined.length > 0 && (continues || word === '=')) joined.push(`${joined.pop()}${word}`);
    else joined.push(word);
    continues = word === '=';
  }
  return joined;
}
