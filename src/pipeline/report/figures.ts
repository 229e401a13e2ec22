/** Tables, charts and pictures as figures of a page: each says in its caption what it shows and where it was computed. */
import type { TopLevelSpec } from 'vega-lite';
import { MKDT_ROW } from '../evaluate/rowNames.js';
import type { Sheet } from '../sheets.js';
import { encodePng } from '../store/png.js';
import { renderSvg } from './charts/renderSvg.js';
import { dataUri, type Html, html, trusted } from './html.js';

/** Nothing, where a page leaves something out. */
export const NOTHING = trusted('');

export interface TableLine {
  readonly name: string;
  readonly cells: readonly string[];
}

export interface Table {
  /** What it is called where it is read out. */
  readonly label: string;
  readonly head: readonly string[];
  readonly body: readonly TableLine[];
  readonly total?: TableLine;
  readonly caption: string;
}

/** A table as a figure; it scrolls by itself on a narrow screen, also by keyboard. */
export function tableFigure({ label, head, body, total, caption }: Table): Html {
  const line = ({ name, cells }: TableLine) =>
    html`<th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}`;
  const foot = total ? html`<tfoot><tr>${line(total)}</tr></tfoot>` : NOTHING;
  return html`<figure>
<div class="scroll" role="region" aria-label="${label}" tabindex="0">
<table aria-label="${label}">
<thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>
${body.map((row) => html`<tr class="${row.name === MKDT_ROW ? 'own' : 'other'}">${line(row)}</tr>`)}
</tbody>
${foot}
</table>
</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

/** A drawing as inline SVG; undefined where no value can be drawn. */
export const drawnFigure = (svg: string | undefined, caption: string): Html =>
  html`<figure>
${svg === undefined ? html`<p>No value is finite: nothing to draw.</p>` : trusted(svg)}
<figcaption>${caption}</figcaption>
</figure>`;

export const chartFigure = async (spec: TopLevelSpec | undefined, caption: string): Promise<Html> =>
  drawnFigure(spec && (await renderSvg(spec)), caption);

/** A picture that lies in the page. `alternative` says what is to be seen. */
export async function pictureFigure(
  { pixels, width, height, channels }: Sheet,
  alternative: string,
  caption: string,
): Promise<Html> {
  const png = await encodePng(pixels, width, height, channels);
  return html`<figure>
<img src="${dataUri(png, 'image/png')}" width="${width}" height="${height}" alt="${alternative}">
<figcaption>${caption}</figcaption>
</figure>`;
}

/** A part of a page under a heading. */
export const section = (heading: string, body: Html | readonly Html[]): Html =>
  html`<section>
<h2>${heading}</h2>
${body}
</section>`;
