/** What a study leaves for people: figures as SVG and PNG, and one self-contained page. */
import type { TopLevelSpec } from 'vega-lite';
import { importSharp } from '../optionalImports.js';
import { renderSvg } from '../report/charts/renderSvg.js';
import { drawnFigure, section, tableFigure } from '../report/figures.js';
import { type Html, html } from '../report/html.js';
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
function standaloneSvg(inline: string): string {
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(inline)!;
  return inline.replace(
    '<svg',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" color="black"`,
  );
}

const tableSection = ({ title, head, body, caption }: StudyTable): Html =>
  section(
    title,
    tableFigure({
      label: title,
      head,
      body: body.map(([name, ...cells]) => ({ name: name!, cells })),
      caption,
    }),
  );

function pageHtml(page: StudyPage, drawings: readonly Html[]): string {
  const { title, findings, tables, device, dataset, command } = page;
  const body = html`<div class="pair">
${drawings}
</div>
${tables.map(tableSection)}
${section('Repeat it', html`<pre class="command"><code>${command}</code></pre>`)}`;
  return renderPage({ title, findings, dataset, device, body });
}

/** Writes the page as study.html and each figure as SVG and PNG; the same page gives the same files. */
export async function writePage(folder: RunFolder, page: StudyPage): Promise<void> {
  const sharp = await importSharp();
  const drawings: Html[] = [];
  for (const { file, spec, caption } of page.figures) {
    const inline = spec && (await renderSvg(spec));
    drawings.push(drawnFigure(inline, caption));
    if (inline === undefined) continue;
    const svg = standaloneSvg(inline);
    await folder.writeText(`${file}.svg`, `${svg}\n`);
    const png = await sharp(Buffer.from(svg), { density: 72 * PNG_SCALE })
      .flatten({ background: 'white' })
      .png()
      .toBuffer();
    await folder.writeBytes(`${file}.png`, png);
  }
  await folder.writeText('study.html', pageHtml(page, drawings));
}
