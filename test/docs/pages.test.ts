import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isShown, misquoted, outputsOf, programOf, typeFaults, writePrograms } from './snippets.js';

const inDocs = (await readdir('docs', { recursive: true })).filter((file) => file.endsWith('.md'));
const pages = ['README.md', ...inDocs.map((file) => join('docs', file)).sort()];
const folder = await mkdtemp(resolve('test', '.snippets-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const programs = await writePrograms(folder, pages);

describe('the pages', () => {
  it.each(programs.map((program) => [program.page, program] as const))(
    '%s prints what it shows',
    async (_, program) => {
      const printed = await outputsOf(program);
      expect(program.shown.length).toBeGreaterThan(0);
      program.shown.forEach(({ text, line }, k) => {
        const got = `line ${line}\n${printed[k]}`;
        const want = `line ${line}\n${text}`;
        expect(isShown(want, got) ? want : got).toBe(want);
      });
    },
  );

  it('fit the types of what they use, and a fault would be told by page and line', async () => {
    expect(programs.map(({ page }) => page)).toContain('README.md');
    const faulty = join(folder, 'faulty.md');
    await writeFile(faulty, "Text.\n\n```ts\nimport { f32 } from 'hypergrad';\n\nf32('three');\n```\n");
    expect(typeFaults([...programs, ...(await writePrograms(folder, [faulty]))])).toEqual([
      expect.stringMatching(/faulty\.md:6: Argument of type 'string' is not assignable/),
    ]);
  });

  it('quote files as they are', async () => {
    for (const page of pages) expect(await misquoted(await readFile(page, 'utf8')), page).toEqual([]);
  });
});

describe('what holds the pages', () => {
  const page = [
    'Text.',
    '```ts',
    'const a = 1;',
    '```',
    '```sh',
    'ls',
    '```',
    '```ts file=src/a.ts',
    'not run',
    '```',
    '```ts',
    'console.log(a);',
    '```',
    '```text',
    '1',
    '```',
  ].join('\n');

  it('joins the blocks in their order, and knows where they stood', () => {
    const { source, pageLines, shown } = programOf(page)!;
    expect(source.split('\n').map((line) => line.replace(/console\.log\('\W'\);/, 'mark'))).toEqual([
      'const a = 1;',
      '',
      'console.log(a);',
      'mark',
    ]);
    expect(pageLines).toEqual([3, 4, 12, 13]);
    expect(shown).toMatchObject([{ text: '1\n', line: 15 }]);
    expect(programOf('```js\nnothing();\n```')).toBeNull();
    expect(() => programOf('```ts\nlet a;')).toThrow(/line 1 is not closed/);
  });

  it.each([
    ['loss 0.1234', 'loss 0.1236'],
    ['1.20e-3 of 7', '1.21e-3 of 7'],
    ['-0.00', '0.00'],
    ['a  \nb', 'a\nb\n\n'],
  ])('takes %j for %j', (shown, printed) => {
    expect(isShown(shown, printed)).toBe(true);
  });

  it.each([
    ['loss 0.1234', 'loss 0.1237'],
    ['loss 0.1234', 'gain 0.1234'],
    ['7 steps', '8 steps'],
    ['1.20e-3', '1.20e-4'],
    ['a', 'a\nb'],
    ['0.5 0.6', '0.5'],
  ])('does not take %j for %j', (shown, printed) => {
    expect(isShown(shown, printed)).toBe(false);
  });

  it('misses a quotation that its file does not hold', async () => {
    const quoting = (text: string) => misquoted(`\`\`\`json from=package.json\n${text}\n\`\`\`\n`);
    expect(await quoting('  "name": "hypergrad",')).toEqual([]);
    expect(await quoting('  "name": "another",')).toHaveLength(1);
  });
});
