/** The sources as pages of the site, so that *Defined in* and links to files lead somewhere on any host, and without one. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { html, trusted } from '../../src/pipeline/report/html.js';

const FOLDER = 'source';

/** Where the page of a file lies in the site. */
export const sourceAddress = (path: string): string => `${FOLDER}/${path}.html`;

/** As on TypeDoc's own pages: the theme that the reader chose there. */
const THEME = trusted(
  '<script>document.documentElement.dataset.theme = localStorage.getItem("tsd-theme") || "os"</script>',
);

/** A file as a page: its lines numbered, each an anchor `L1`, `L2`, …. */
export function sourcePage(path: string, text: string): string {
  const root = '../'.repeat(sourceAddress(path).split('/').length - 1);
  const lines = text.replace(/\n$/, '').split('\n');
  const numbered = lines.map((line, k) => `<span id="L${k + 1}">${html`${line}`.markup}</span>`);
  const page = html`<!DOCTYPE html>
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
<pre><code>${trusted(numbered.join('\n'))}</code></pre>
</main>
</body>
</html>
`;
  return page.markup;
}

/** Writes the pages of some files into the site's folder. */
export async function writeSourcePages(site: string, paths: Iterable<string>): Promise<void> {
  for (const path of paths) {
    const address = join(site, sourceAddress(path));
    await mkdir(dirname(address), { recursive: true });
    await writeFile(address, sourcePage(path, await readFile(path, 'utf8')));
  }
}
