/**
 * Pages that are read off the code: the configuration's fields, and the commands with their options. Every build of the site writes
 * them anew and none is kept, so that nothing of them is typed twice.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Command } from 'commander';
import { examplesOf } from '../../src/cli/examples.js';
import { exitCodes } from '../../src/cli/exitCodes.js';
import { environment } from '../../src/cli/help.js';
import { createProgram } from '../../src/cli/program.js';
import { inlineYaml } from '../../src/pipeline/config/commentedYaml.js';
import {
  describeGroup,
  type FieldDescription,
  fieldDescriptions,
} from '../../src/pipeline/config/describe.js';
import { describePreset, presetNames } from '../../src/pipeline/config/resolve.js';
import { GENERATED } from './pages.js';

/** A width that wraps no note of a help. */
const UNWRAPPED = 100_000;

/** A sentence as Markdown: what it has in code stays code, and no other character means anything. */
const markdown = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/[\\*_[\]<>]/g, '\\$&')))
    .join('');

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

const code = (text: string): string => `\`${text}\``;

/** A table's lines; cells are Markdown. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** Rows of a term in code and what it means, below their heads; nothing where there are none. */
const terms = (head: string, rows: readonly (readonly [term: string, meaning: string])[]): string[] =>
  rows.length === 0
    ? []
    : table(
        [head, 'meaning'],
        rows.map(([term, meaning]) => [code(term), markdown(meaning)]),
      );

function groupSection(group: string, fields: readonly FieldDescription[]): string[] {
  const level = group.includes('.') ? '###' : '##';
  return [
    `${level} ${group === '' ? 'The whole run' : group}`,
    '',
    ...(group === '' ? [] : [markdown(describeGroup(group)), '']),
    ...table(
      ['field', 'meaning', 'what fits', 'default'],
      fields.map(({ path, description, range, default: usual }) => [
        code(path),
        markdown(description),
        markdown(range),
        code(inlineYaml(usual)),
      ]),
    ),
  ];
}

/** The page of the configuration: every preset, and every field with its meaning, what fits and its default. */
export function configurationPage(): string {
  const groups = new Map<string, FieldDescription[]>();
  for (const field of fieldDescriptions()) {
    const group = field.path.slice(0, Math.max(0, field.path.lastIndexOf('.')));
    groups.set(group, [...(groups.get(group) ?? []), field]);
  }
  return [
    '# Configuration',
    '',
    'Every field of a run. A configuration file, in YAML or JSON, needs only what differs, and `preset: NAME` in it says from what; on',
    'the command line `--set distil.steps=30` sets one value. What comes later wins: defaults, preset, file, `--seed` and `--data`,',
    '`--set`. `hypergrad config` prints what it all amounts to, `hypergrad init` writes a file to begin with.',
    '',
    '## Presets',
    '',
    ...terms(
      'preset',
      presetNames.map((name) => [name, describePreset(name)]),
    ),
    ...[...groups].flatMap(([group, fields]) => groupSection(group, fields)),
  ].join('\n');
}

/** The notes below a command's options; lists and examples, which are data of their own, are left out. */
function notesOf(command: Command): string[] {
  const texts: string[] = [];
  command.configureOutput({
    writeOut: (text) => {
      texts.push(stripVTControlCharacters(text).trim());
    },
    getOutHelpWidth: () => UNWRAPPED,
  });
  command.outputHelp();
  const [, ...below] = texts;
  return below.filter((text) => !/^[A-Z][\w ]*:\n/.test(text) && !text.startsWith('hypergrad --help'));
}

/** A note as Markdown: lines that were laid out in columns, or set in, stay as they are. */
function noteParagraph(text: string): string[] {
  const isLaidOut = /\S {2,}|^ /m.test(text);
  return isLaidOut ? ['```text', text, '```', ''] : text.split('\n').flatMap((line) => [markdown(line), '']);
}

function commandSection(command: Command, path: string): string[] {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const examples = examplesOf[path] ?? [];
  return [
    `### hypergrad ${path}`,
    '',
    markdown(sentence(help.commandDescription(command))),
    '',
    '```text',
    help.commandUsage(command),
    '```',
    '',
    ...terms(
      'argument',
      help
        .visibleArguments(command)
        .map((each) => [help.argumentTerm(each), help.argumentDescription(each)] as const),
    ),
    ...terms(
      'option',
      options.map((each) => [help.optionTerm(each), help.optionDescription(each)] as const),
    ),
    ...notesOf(command).flatMap(noteParagraph),
    ...(examples.length === 0
      ? []
      : ['```sh', ...examples.flatMap(({ line, effect }) => [`# ${effect}`, line]), '```', '']),
    ...visibleCommands(command).flatMap((each) => commandSection(each, `${path} ${each.name()}`)),
  ];
}

const visibleCommands = (command: Command): Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');

/** The page of the commands: what `--help` says of each, and the codes and variables that they share. */
export function commandsPage(): string {
  const program = createProgram();
  const help = program.createHelp();
  const commands = visibleCommands(program);
  const groups = [...new Set(commands.map((command) => command.helpGroup()))];
  return [
    '# Commands',
    '',
    'What `hypergrad COMMAND --help` says of every command. Options that all of them take, before or after their name:',
    '',
    ...terms(
      'option',
      help
        .visibleOptions(program)
        .filter(({ long }) => long !== '--version')
        .map((each) => [help.optionTerm(each), help.optionDescription(each)] as const),
    ),
    ...groups.flatMap((group) => [
      `## ${group.replace(/:$/, '')}`,
      '',
      ...commands
        .filter((command) => command.helpGroup() === group)
        .flatMap((command) => commandSection(command, command.name())),
    ]),
    '## Exit codes',
    '',
    ...terms(
      'exit code',
      exitCodes.map(([exitCode, meaning]) => [String(exitCode), meaning] as const),
    ),
    '## Variables of the environment',
    '',
    ...terms('variable', environment),
  ].join('\n');
}

/** Writes the pages to where `pages.ts` has them. */
export async function writeReferences(): Promise<void> {
  for (const [path, text] of [
    [GENERATED.configuration, configurationPage()],
    [GENERATED.commands, commandsPage()],
  ] as const) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
