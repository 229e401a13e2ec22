/** The frame of every page that the pipeline writes: self-contained, without scripts, and forbidden to ask for anything. */
import { createHash } from 'node:crypto';
import { type Html, html, trusted } from './html.js';
import { STYLE } from './style.js';

/** What stands at a page's head, and what follows. */
export interface PageParts {
  readonly title: string;
  /** What was found, a paragraph each. */
  readonly findings: readonly string[];
  /** The same in figures. */
  readonly highlights?: Html;
  readonly dataset: string;
  readonly device: string;
  readonly body: Html;
}

/**
 * Nothing but the page's own style sheet, known by its hash, and pictures that lie in the page. Whatever slipped past the
 * escaping could neither run nor be fetched, nor send anything.
 */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** A whole page. The same parts give the same text. */
export function renderPage({
  title,
  findings,
  highlights = trusted(''),
  dataset,
  device,
  body,
}: PageParts): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<div class="headline">
${findings.map((finding) => html`<p>${finding}</p>`)}
</div>
${highlights}
<dl class="facts">
<dt>Dataset</dt><dd>${dataset}</dd>
<dt>Device</dt><dd>${device}</dd>
</dl>
${body}
</main>
</body>
</html>
`.markup;
}
