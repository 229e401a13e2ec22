/** A piece of finished HTML. Only `html` and `trusted` make one, so plain text cannot pass unescaped. */
export class Html {
  constructor(readonly markup: string) {}
}

const REPLACEMENTS: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element's content or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => REPLACEMENTS[character]!);
}

/** Markup that this program made itself, such as a rendered figure. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

export type HtmlValue = string | number | Html | readonly Html[];

function render(value: HtmlValue): string {
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return value.map(render).join('\n');
}

/** A template tag: every interpolated text is escaped, pieces of HTML are put in as they are. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((markup, part, i) => markup + render(values[i - 1]!) + part));
}

/** Bytes as a `data:` address, the only kind that the report's content security policy lets through. */
export function dataUri(bytes: Uint8Array, mediaType: string): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return `data:${mediaType};base64,${btoa(binary)}`;
}
