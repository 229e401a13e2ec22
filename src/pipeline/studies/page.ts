/** What a study leaves for people: figures as SVG and PNG, and one self-contained page. */
import type { TopLevelSpec } from 'vega-lite';
import { importSharp } from '../optionalImports.js';
import { renderSvg } from '../report/charts/renderSvg.js';
import { type Html, html, trusted } from '../report/html.js';
import { renderPage } from '../report/pageShell.js';
import type { RunFolder } from '../store/runFolder.js';

/** Pixels of a PNG for each unit of a figure. */
const PNG_SCALE = 2;

export interface StudyTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
  readonly caption: string;
}

export interface StudyFigure {
  /** Name of its files, without an ending. */
  readonly file: string;
  /** undefined where no value can be drawn. */
  readonly spec: TopLevelSpec | undefined;
  readonly caption: string;
}

/** All that a study says. */
export interface StudyPage {
  readonly title: string;
  /** What was found, in sentences. */
  readonly findings: readonly string[];
  readonly tables: readonly StudyTable[];
  readonly figures: readonly StudyFigure[];
  /** The device in words. */
  readonly device: string;
  readonly dataset: string;
  /** The command that repeats the study. */
  readonly command: string;
}

/** An inline SVG element as a file of its own, of the size of its view box. */
export function standaloneSvg(inline: string): string {
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(inline)!;
  return inline.replace(
    '<svg',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" color="black"`,
  );
}

function tableHtml({ title, head, body, caption }: StudyTable): Html {
  const [first, ...others] = head;
  return html`<h2>${title}</h2>
<figure>
<div class="scroll" role="region" aria-label="${title}" tabindex="0">
<table aria-label="${title}">
<thead><tr>${[first!, ...others].map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>
${body.map(([name, ...cells]) => html`<tr><th scope="row">${name!}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}
</tbody>
</table>
</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

function pageHtml(page: StudyPage, drawings: readonly Html[]): string {
  const { title, findings, tables, device, dataset, command } = page;
  const body = html`<div class="pair">
${drawings}
</div>
${tables.map(tableHtml)}
<h2>Repeat it</h2>
<pre><code>${command}</code></pre>`;
  return renderPage({ title, findings, dataset, device, body });
}

/** Writes the page as study.html and each figure as SVG and PNG; the same study gives the same files. */
export async function writePage(folder: RunFolder, page: StudyPage): Promise<void> {
  const sharp = await importSharp();
  const drawings: Html[] = [];
  for (const { file, spec, caption } of page.figures) {
    if (spec === undefined) {
      drawings.push(html`<figure><p>No value can be drawn.</p><figcaption>${caption}</figcaption></figure>`);
      continue;
    }
    const inline = await renderSvg(spec);
    const svg = standaloneSvg(inline);
    await folder.writeText(`${file}.svg`, `${svg}\n`);
    const png = await sharp(Buffer.from(svg), { density: 72 * PNG_SCALE })
      .flatten({ background: 'white' })
      .png()
      .toBuffer();
    await folder.writeBytes(`${file}.png`, png);
    drawings.push(html`<figure>
${trusted(inline)}
<figcaption>${caption}</figcaption>
</figure>`);
  }
  await folder.writeText('study.html', pageHtml(page, drawings));
}
