/** The report's whole style sheet: light and dark, from 360 pixels up, and on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1c2128; --quiet: #57606a; --line: #d5dae0; --raised: #f4f6f8; --accent: #2b6cb0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --text: #e4e7eb; --quiet: #a0a9b4; --line: #363d46; --raised: #1e2329; --accent: #7db4ea;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0 0 .75rem; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.2rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { max-width: 46rem; }
.headline {
  padding: .75rem 1rem; font-size: 1.1rem; max-width: 48rem;
  background: var(--raised); border-left: .25rem solid var(--accent); overflow-wrap: anywhere;
}
.headline p { margin: 0; }
.headline p + p { margin-top: .5rem; font-size: 1rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
figcaption { padding: .4rem 0; color: var(--quiet); font-size: .875rem; text-align: left; max-width: 46rem; }
th, td { padding: .35rem 0 .35rem clamp(.6rem, 3vw, 1.5rem); border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th[scope="row"], thead th:first-child { padding-left: 0; text-align: left; font-weight: normal; white-space: normal; }
thead th { vertical-align: bottom; white-space: normal; border-bottom-width: 2px; }
tr.own > * { font-weight: 600; }
tfoot > tr > * { border-bottom: 0; font-weight: 600; }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; max-width: 32rem; height: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0 2rem; }
img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; }
pre {
  margin: .5rem 0; padding: .75rem 1rem; background: var(--raised); border-radius: .25rem;
  font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
}
summary { cursor: pointer; }
@media print {
  :root { --page: #ffffff; --text: #000000; --quiet: #444444; --line: #bbbbbb; --raised: #ffffff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  figure, table, .headline { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
}
`;
