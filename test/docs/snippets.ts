/**
 * The TypeScript of a Markdown page as a program. Its `ts` blocks are one module, in their order; a `text` block says what
 * `console.log` has printed since the one before. A block `ts from=FILE` is quoted from a file and does not run.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { format } from 'node:util';
import ts from 'typescript';
import { vi } from 'vitest';

export interface Block {
  readonly language: string;
  /** What stands behind the language on the fence, such as `from=FILE`. */
  readonly info: string;
  readonly text: string;
  /** The page's line of its first line, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = page.split('\n');
  for (let k = 0; k < lines.length; k++) {
    const [, fence, language, info] = /^(`{3,})(\w*) ?(.*)$/.exec(lines[k]!) ?? [];
    if (fence === undefined) continue;
    const end = lines.indexOf(fence, k + 1);
    if (end < 0) throw new Error(`The fence of line ${k + 1} is not closed.`);
    const text = lines.slice(k + 1, end).map((line) => `${line}\n`);
    blocks.push({ language: language!, info: info!, text: text.join(''), line: k + 2 });
    k = end;
  }
  return blocks;
}

/** What stands in the printed output where a `text` block stands in the page. */
const MARK = '\u241e';

export interface Program {
  /** The blocks with a line between them, as one would copy them; in place of a `text` block, a mark in the output. */
  readonly source: string;
  /** The page's line of each line of the source. */
  readonly pageLines: readonly number[];
  /** The `text` blocks. */
  readonly shown: readonly Block[];
}

/** The program of a page, or null where it has none. */
export function programOf(page: string): Program | null {
  const source: string[] = [];
  const pageLines: number[] = [];
  const shown: Block[] = [];
  for (const block of blocksOf(page)) {
    if (block.language === 'text' && source.length > 0) {
      shown.push(block);
      // On the empty line that follows the code, so that no line of it moves.
      source[source.length - 1] += `console.log('${MARK}');`;
    }
    if (block.language !== 'ts' || block.info !== '') continue;
    const lines = [...block.text.trimEnd().split('\n'), ''];
    source.push(...lines);
    pageLines.push(...lines.map((_, k) => block.line + k));
  }
  return source.length === 0 ? null : { source: source.join('\n'), pageLines, shown };
}

/** Blocks that say that they are quoted from a file, and are not to be found there. */
export async function misquoted(page: string): Promise<Block[]> {
  const wrong: Block[] = [];
  for (const block of blocksOf(page)) {
    const [, file] = /^from=(\S+)$/.exec(block.info) ?? [];
    if (file !== undefined && !(await readFile(file, 'utf8')).includes(block.text)) wrong.push(block);
  }
  return wrong;
}

/** A page's program as a file. */
export interface WrittenProgram extends Program {
  readonly page: string;
  /** Absolute path of its module. */
  readonly module: string;
}

/** Writes the programs of those pages that have one into a folder of the repository, where the package's name is known. */
export async function writePrograms(folder: string, pages: readonly string[]): Promise<WrittenProgram[]> {
  const written: WrittenProgram[] = [];
  for (const page of pages) {
    const program = programOf(await readFile(page, 'utf8'));
    if (program === null) continue;
    const module = join(folder, `${basename(page, '.md')}.ts`);
    await writeFile(module, program.source);
    written.push({ ...program, page, module });
  }
  return written;
}

/** Runs a program and returns what it printed, cut where the page shows it. */
export async function outputsOf({ module }: WrittenProgram): Promise<string[]> {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
    lines.push(format(...values));
  });
  try {
    await import(module);
  } finally {
    log.mockRestore();
  }
  // Where something was traced is said with the module's path, which is another one on the reader's machine.
  const printed = lines.join('\n').replaceAll(`${dirname(module)}/`, '');
  return printed.split(MARK).map((part) => part.replace(/^\n/, ''));
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** The unit of a number's last digit; 0 of a whole number, which is exact. */
function unitOf(number: string): number {
  const [mantissa, exponent] = number.split('e') as [string, string | undefined];
  const decimals = mantissa.split('.')[1]?.length ?? 0;
  if (decimals === 0 && exponent === undefined) return 0;
  return 10 ** (Number(exponent ?? 0) - decimals);
}

/**
 * Whether a page shows what was printed: the same text, the same whole numbers, and every other number to within two units of
 * its last digit, for devices round differently.
 */
export function isShown(shown: string, printed: string): boolean {
  const trimmed = [shown, printed].map((text) =>
    text
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd(),
  );
  const [want, got] = trimmed as [string, string];
  if (want.replace(NUMBER, '#') !== got.replace(NUMBER, '#')) return false;
  const numbers = got.match(NUMBER) ?? [];
  return (want.match(NUMBER) ?? []).every((number, k) => {
    const unit = Math.max(unitOf(number), unitOf(numbers[k]!));
    return Math.abs(Number(number) - Number(numbers[k]!)) <= 2.001 * unit;
  });
}

/** What TypeScript says of the programs under the project's options, by page and line. */
export function typeFaults(programs: readonly WrittenProgram[]): string[] {
  const { options } = ts.getParsedCommandLineOfConfigFile(
    'tsconfig.json',
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, ' '));
      },
    },
  )!;
  const compilation = ts.createProgram(
    programs.map(({ module }) => module),
    options,
  );
  return programs.flatMap(({ page, module, pageLines }) => {
    const file = compilation.getSourceFile(module)!;
    const found = [...compilation.getSyntacticDiagnostics(file), ...compilation.getSemanticDiagnostics(file)];
    return found.map(({ start, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
      return `${page}:${pageLines[line]}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}
