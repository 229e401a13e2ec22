import { describe, expect, it } from 'vitest';
import { commandsPage, configurationPage } from '../../build/documentation/references.js';
import { createProgram } from '../../src/cli/program.js';
import { fieldDescriptions } from '../../src/pipeline/config/describe.js';
import { presetNames } from '../../src/pipeline/config/resolve.js';

/** Cells of the tables' rows, head and rule among them. */
const rowsOf = (page: string): string[][] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const headingsOf = (page: string): string[] =>
  [...page.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);

describe('the reference of the configuration', () => {
  const page = configurationPage();

  it('has every preset, and every field with its meaning, what fits and its default', () => {
    const rows = new Map(rowsOf(page).map(([first, ...rest]) => [first!, rest]));
    for (const name of presetNames) expect(rows.get(`\`${name}\``)?.[0], name).toMatch(/\w/);
    for (const { path } of fieldDescriptions()) {
      const cells = rows.get(`\`${path}\``);
      expect(cells, path).toHaveLength(3);
      for (const cell of cells!) expect(cell, path).not.toBe('');
    }
    expect(rows.get('`distil.steps`')![2]).toMatch(/^`\d+`$/);
  });

  it('stands below headings of the groups, nested as they are', () => {
    expect(headingsOf(page)).toEqual(expect.arrayContaining(['data', 'data.resize', 'evaluate']));
    expect(page).toMatch(/^### data\.resize$/m);
  });
});

describe('the reference of the commands', () => {
  const page = commandsPage();

  it('has every command that help lists, with its options, and none that it hides', () => {
    const program = createProgram();
    const shown = program.createHelp().visibleCommands(program);
    const headings = headingsOf(page);
    for (const command of shown.filter((each) => each.name() !== 'help')) {
      expect(headings).toContain(`hypergrad ${command.name()}`);
      for (const { flags } of command.options) expect(page, command.name()).toContain(`| \`${flags}\` |`);
    }
    expect(headings).toContain('hypergrad study variance');
    expect(page).not.toContain('hypergrad complete');
  });

  it('has notes as prose, or laid out as they were, and examples', () => {
    expect(page).toContain('A run that was ended, by Ctrl-C or otherwise, goes on where it was last kept');
    expect(page).toMatch(/^```text\nbash {2}eval/m);
    expect(page).toMatch(/^# every stage in seconds\nhypergrad run --preset tiny-test$/m);
    expect(page).not.toContain('Examples:');
    expect(page).not.toContain('\u001b');
  });

  it('has the exit codes and the variables of the environment', () => {
    const firsts = rowsOf(page).map(([first]) => first);
    expect(firsts).toEqual(expect.arrayContaining(['`0`', '`130`', '`HYPERGRAD_DEVICE`', '`--quiet`']));
  });
});

it.each([
  ['configuration', configurationPage],
  ['commands', commandsPage],
])('tables of the %s have as many cells in each row as in their head', (_, pageOf) => {
  let cells = 0;
  let isInside = false;
  for (const line of pageOf().split('\n')) {
    const found = rowsOf(line)[0];
    if (found !== undefined && !isInside) cells = found.length;
    if (found !== undefined) expect(found, line).toHaveLength(cells);
    isInside = found !== undefined;
  }
  expect(cells).toBeGreaterThan(0);
});
