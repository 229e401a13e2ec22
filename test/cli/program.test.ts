import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { examplesOf } from '../../src/cli/examples.js';
import { exitCodes } from '../../src/cli/exitCodes.js';
import { createProgram } from '../../src/cli/program.js';
import { ConfigError } from '../../src/errors.js';
import { environmentVariables, sourceTree } from '../support/sourceTree.js';

let stdout: MockInstance<typeof process.stdout.write>;
let stderr: MockInstance<typeof process.stderr.write>;

beforeEach(() => {
  stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const textOf = (spy: MockInstance<typeof process.stdout.write>) =>
  spy.mock.calls.map(([text]) => text).join('');

async function parse(...args: string[]): Promise<unknown> {
  return createProgram()
    .parseAsync(args, { from: 'user' })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

/** The words that lead to each command that help shows, the program itself among them. */
function pathsBelow(command: Command, path: readonly string[] = []): string[][] {
  const help = command.createHelp();
  const shown = help.visibleCommands(command).filter((each) => command.commands.includes(each));
  return [[...path], ...shown.flatMap((each) => pathsBelow(each, [...path, each.name()]))];
}
const paths = pathsBelow(createProgram());

describe('what does not fit', () => {
  it.each([
    [['rum'], "hypergrad: unknown command 'rum'. Did you mean run?\n"],
    [['run', '--preste', 'x'], "hypergrad: unknown option '--preste'. Did you mean --preset?\n"],
    [['run', '--zzz'], "hypergrad: unknown option '--zzz'. See hypergrad run --help.\n"],
    [['doctor', '--jsn'], "hypergrad: unknown option '--jsn'. Did you mean --json?\n"],
    [['verify'], "hypergrad: missing required argument 'path'. See hypergrad verify --help.\n"],
    [['study', 'varience'], "hypergrad: unknown command 'varience'. Did you mean variance?\n"],
    [['run', '--out'], "hypergrad: option '--out <folder>' argument missing. See hypergrad run --help.\n"],
  ])('%j is told in one sentence on stderr', async (args, sentence) => {
    expect(await parse(...args)).toBeInstanceOf(CommanderError);
    expect(textOf(stderr)).toBe(sentence);
    expect(textOf(stdout)).toBe('');
  });

  it.each([['run'], ['verify', 'x.safetensors']])('%s names the devices there are', async (...args) => {
    expect(await parse(...args, '--device', 'gpu')).toBeInstanceOf(CommanderError);
    expect(textOf(stderr)).toMatch(
      /'gpu' is invalid\. Allowed choices are auto, hardware, software, bundled\./,
    );
  });

  it.each([
    ['run', '--device', 'softwear', 'software'],
    ['export', '--to', 'pgn', 'png'],
    ['gradcheck', '--optimiser', 'mometum', 'momentum'],
    ['data', '--source', 'cifra10', 'cifar10'],
  ])('%s %s %s is told with the choice that is like it', async (command, option, word, meant) => {
    const path = command === 'export' || command === 'data' ? ['runs/a'] : [];
    expect(await parse(command, ...path, option, word)).toBeInstanceOf(CommanderError);
    expect(textOf(stderr)).toContain(`'${word}' is invalid. Did you mean ${meant}? Allowed choices are `);
  });

  it('a shell that is misspelt is told with the one that is like it', async () => {
    expect(await parse('completion', 'bahs')).toBeInstanceOf(CommanderError);
    expect(textOf(stderr)).toContain('Did you mean bash? Allowed choices are bash, zsh, fish.');
  });

  it.each(['abc', '-1', '1.5', '', '1e3'])('--seed %j is no whole number', async (seed) => {
    const error = await parse('run', '--preset', 'tiny-test', '--seed', seed);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(/^--seed .* must be a whole number/);
  });

  it('a seed beyond the largest is told with its limit', async () => {
    const error = await parse('run', '--preset', 'tiny-test', '--seed', '4294967296');
    expect((error as Error).message).toMatch(/^seed = 4294967296 \(--seed\) .* 0 to 4294967295/);
  });
});

describe('help', () => {
  it.each(paths.map((path) => [path]))('of %j holds examples and --debug', async (command) => {
    const error = await parse(...command, '--help');
    expect(error).toMatchObject({ exitCode: 0 });
    const text = textOf(stdout);
    expect(text).toContain('Examples:\n  ');
    expect(text).toContain('--debug');
    expect(text).toContain(`Usage: ${['hypergrad', ...command].join(' ')}`);
  });

  it.each(paths.map((path) => [path]))('of %j fits a terminal of 80 columns', async (command) => {
    await parse(...command, '--help');
    const lines = textOf(stdout).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    if (command.length > 0) expect(lines).toContain('hypergrad --help lists the exit codes.');
  });

  it('has examples of every command, and of no other', () => {
    expect(Object.keys(examplesOf).sort()).toEqual(paths.map((path) => path.join(' ')).sort());
    for (const examples of Object.values(examplesOf)) {
      expect(examples.length).toBeGreaterThanOrEqual(2);
      for (const { line } of examples) expect(line).toMatch(/(^| )hypergrad /);
    }
  });

  it('describes every option and every argument', () => {
    for (const path of paths) {
      const command = path.reduce(
        (parent, name) => parent.commands.find((each) => each.name() === name)!,
        createProgram(),
      );
      expect(command.description(), path.join(' ')).not.toBe('');
      for (const { flags, description } of command.options) expect(description, flags).not.toBe('');
      for (const each of command.registeredArguments) expect(each.description, each.name()).not.toBe('');
    }
  });

  it('lists the exit codes', async () => {
    await parse('--help');
    const text = textOf(stdout).replaceAll(/\s+/g, ' ');
    for (const [code, meaning] of exitCodes) expect(text).toContain(` ${code} ${meaning}`);
  });

  it('lists every environment variable that the sources read', async () => {
    const read = environmentVariables(sourceTree('src'));
    expect(read.length).toBeGreaterThan(3);
    await parse('--help');
    for (const name of read) expect(textOf(stdout)).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it('has no colour where it is not read on a terminal', async () => {
    await parse('run', '--help');
    expect(textOf(stdout)).not.toContain('\u001b');
  });

  it('of run lists the presets with what they are for', async () => {
    await parse('run', '--help');
    expect(textOf(stdout)).toMatch(/Presets:\n {2}mnist-small +\w/);
  });

  it('is shown on stderr, as an error, where no command is given', async () => {
    expect(await parse()).not.toMatchObject({ exitCode: 0 });
    expect(textOf(stderr)).toContain('Usage: hypergrad');
  });
});

it('tells the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await parse('--version')).toMatchObject({ exitCode: 0 });
  expect(textOf(stdout)).toBe(`${version}\n`);
});

it.each([[['--quiet', 'compare']], [['compare', '--quiet']]])('hands %j on to the command', async (words) => {
  const program = createProgram();
  const compare = program.commands.find((each) => each.name() === 'compare')!;
  let quiet: unknown;
  compare.action((_, flags: { quiet?: boolean }) => {
    quiet = flags.quiet;
  });
  await program.parseAsync([...words, 'runs/a'], { from: 'user' });
  expect(quiet).toBe(true);
});

it('takes --debug before and after the command', async () => {
  for (const args of [
    ['--debug', 'run', '--seed', 'x'],
    ['run', '--seed', 'x', '--debug'],
  ]) {
    const program = createProgram();
    await expect(program.parseAsync(args, { from: 'user' })).rejects.toThrow(ConfigError);
    expect(program.opts()).toMatchObject({ debug: true });
  }
});
