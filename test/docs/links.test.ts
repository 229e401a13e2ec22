import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { brokenLinks } from '../../build/documentation/links.js';
import { FRONT_PAGE, pages, writtenPages } from '../../build/documentation/pages.js';

const documents = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .map((name) => join('docs', name).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.md'));

/** A page without what is only shown: code in fences and in lines. */
const proseOf = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`]*`/g, '``');

/** Where links and images lead, those to other hosts left out. */
const targetsOf = (text: string): string[] =>
  [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target));

/** The anchors of a page, as GitHub and TypeDoc make them of its headings; of headings with code they make different ones. */
function anchorsOf(text: string): string[] {
  const headings = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} ([^`\n]+)$/gm)];
  return headings.map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What is wrong with a link of a page: null where it leads somewhere. */
function faultOf(page: string, target: string): string | null {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(file)) return `${page} links to ${target}, and there is no ${file}`;
  if (anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).includes(anchor)) return null;
  return `${page} links to ${target}, and ${file} has no such heading`;
}

describe('the pages', () => {
  it('are all on the site, and all that are on it are there', () => {
    expect(pages.filter((page) => page.startsWith('docs/')).sort()).toEqual(documents.sort());
    expect(writtenPages.filter((page) => !existsSync(page))).toEqual([]);
    expect(new Set(pages).size).toBe(pages.length);
  });

  it('link to files and headings that exist, and show images that exist', () => {
    const all = [FRONT_PAGE, ...writtenPages].map((page) => [page, readFileSync(page, 'utf8')] as const);
    expect(all.flatMap(([, text]) => targetsOf(text)).length).toBeGreaterThan(100);
    expect(
      all.flatMap(([page, text]) => targetsOf(text).flatMap((target) => faultOf(page, target) ?? [])),
    ).toEqual([]);
  });

  it('have one heading of the first level each', () => {
    for (const page of [FRONT_PAGE, ...writtenPages]) {
      const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
      expect(text.match(/^# /gm), page).toHaveLength(1);
    }
  });

  it('are held by a check that catches a file and a heading that are gone', () => {
    expect(faultOf('README.md', 'docs/gone.md')).toMatch(/there is no docs\/gone\.md/);
    expect(faultOf('README.md', 'docs/architecture.md#gone')).toMatch(/no such heading/);
    expect(faultOf('docs/architecture.md', 'performance.md#tuning')).toBeNull();
  });
});

describe('the check of the finished site', () => {
  const site = mkdtempSync(join(tmpdir(), 'hypergrad-site-'));
  afterAll(() => rmSync(site, { recursive: true, force: true }));

  it('finds links and pictures that lead nowhere, in all folders, and no others', () => {
    mkdirSync(join(site, 'documents'));
    writeFileSync(join(site, 'style.css'), '');
    writeFileSync(
      join(site, 'index.html'),
      '<link href="style.css"><a href="documents/a.html#there">a</a> <a href="https://example.org/gone">b</a>',
    );
    writeFileSync(
      join(site, 'documents', 'a.html'),
      '<h1 id="there">A</h1> <a href="../index.html#gone">b</a> <img src="../media/gone.png"> <a href="..">c</a>',
    );
    expect(brokenLinks(site)).toEqual([
      "documents/a.html links to ../index.html#gone, but index.html has no place 'gone'.",
      'documents/a.html links to ../media/gone.png, but there is no file media/gone.png.',
      'documents/a.html links to .., but there is no file .',
    ]);
  });
});
