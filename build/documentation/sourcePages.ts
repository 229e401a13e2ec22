/** The sources as pages of the site, so that *Defined in* and links to files lead somewhere on any host, and without one. */
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type Html, html, trusted } from '../../src/pipeline/report/html.js';

const FOLDER = 'source';

/** Folders that hold nothing written by hand. */
const MADE = ['node_modules', 'dist'];

/** Where the page of a file or folder lies in the site. */
export const sourceAddress = (path: string): string => `${FOLDER}/${path}.html`;

/** As on TypeDoc's own pages: the theme that the reader chose there. */
const THEME = trusted(
  '<script>document.documentElement.dataset.theme = localStorage.getItem("tsd-theme") || "os"</script>',
);

function page(path: string, content: Html): string {
  const root = '../'.repeat(sourceAddress(path).split('/').length - 1);
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${path} | hypergrad</title>
<link rel="stylesheet" href="${root}assets/style.css">
<link rel="stylesheet" href="${root}assets/custom.css">
</head>
<body>
${THEME}
<main class="source-page">
<p><a href="${root}index.html">hypergrad</a> / ${path}</p>
${content}
</main>
</body>
</html>
`.markup;
}

/** A file as a page: its lines numbered, each an anchor `L1`, `L2`, …. */
export function sourcePage(path: string, text: string): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const numbered = lines.map((line, k) => `<span id="L${k + 1}">${html`${line}`.markup}</span>`);
  return page(path, html`<pre><code>${trusted(numbered.join('\n'))}</code></pre>`);
}

/** A folder as a page: the files in it and below it, by their paths from there. */
export function folderPage(path: string, files: readonly string[]): string {
  const own = path.split('/').at(-1)!;
  const items = files.map((file) => html`<li><a href="${own}/${file}.html">${file}</a></li>`);
  return page(path, html`<ul>${items}</ul>`);
}

/** Paths of the files in a folder and below it, from the folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => MADE.includes(part)))
    .sort();
}

/** Writes the pages of some files and folders, and of the files in these, into the site's folder. */
export async function writeSourcePages(site: string, paths: Iterable<string>): Promise<void> {
  const write = async (path: string, text: string): Promise<void> => {
    const address = join(site, sourceAddress(path));
    await mkdir(dirname(address), { recursive: true });
    await writeFile(address, text);
  };
  const writeFilePage = async (path: string): Promise<void> =>
    write(path, sourcePage(path, await readFile(path, 'utf8')));
  for (const path of paths) {
    if (statSync(path).isDirectory()) {
      const files = filesBelow(path);
      await write(path, folderPage(path, files));
      for (const file of files) await writeFilePage(`${path}/${file}`);
    } else await writeFilePage(path);
  }
}
