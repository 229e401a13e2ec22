/** Figures as static SVG, drawn on the host. */
import type { TopLevelSpec } from 'vega-lite';
import { importVega } from '../../optionalImports.js';
import { escapeHtml } from '../html.js';

/** Renders a specification to an inline SVG element. Vega is loaded here, when a page is written. Throws `MissingPackageError`. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const { vega, compile } = await importVega();
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error });
  try {
    const svg = await view.toSVG();
    // Inside HTML the element needs no namespaces, and without them the report names no address at all; its
    // size is the page's to choose.
    return svg.replace(/^<svg[^>]*>/, (root) =>
      root.replace(/ (xmlns|xmlns:xlink|width|height)="[^"]*"/g, '').replace(
        '<svg',
        // A function: in a text, `$&` would mean the match.
        () => `<svg role="img" aria-label="${escapeHtml(String(spec.description ?? ''))}"`,
      ),
    );
  } finally {
    view.finalize();
  }
}
