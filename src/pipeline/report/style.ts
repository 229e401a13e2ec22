/** The pages' whole style sheet: light and dark, from 360 pixels up, and on A4 paper, where it is always light. */
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
h2 { margin: 2.5rem 0 .5rem; font-size: 1.2rem; overflow-wrap: anywhere; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; overflow-wrap: anywhere; }
p { max-width: 46rem; }
.headline {
  padding: .75rem 1rem; font-size: 1.1rem; max-width: 48rem;
  background: var(--raised); border-left: .25rem solid var(--accent); overflow-wrap: anywhere;
}
.headline p { margin: 0; }
.headline p + p { margin-top: .5rem; font-size: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 1rem; margin: 1rem 0; max-width: 48rem; }
.tiles > div { padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .25rem; overflow-wrap: anywhere; }
.tiles p { margin: 0; color: var(--quiet); font-size: .875rem; }
.tiles .amount { color: var(--text); font-size: 1.7rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
figcaption { padding: .4rem 0; color: var(--quiet); font-size: .875rem; text-align: left; max-width: 46rem; overflow-wrap: anywhere; }
th, td { padding: .35rem 0 .35rem clamp(.6rem, 3vw, 1.5rem); border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th[scope="row"], thead th:first-child { padding-left: 0; text-align: left; font-weight: normal; white-space: normal; }
th[scope="row"] { min-width: 6.5rem; }
thead th { vertical-align: bottom; white-space: normal; border-bottom-width: 2px; }
tr.own > * { font-weight: 600; }
tfoot > tr > * { border-bottom: 0; font-weight: 600; }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; max-width: 32rem; height: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0 2rem; }
.triple { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: 0 1.5rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(45%, 13rem), 1fr)); gap: .75rem 1.5rem; }
.panels p { margin: 0; font-size: .875rem; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0 0; max-width: none; font-size: .875rem; }
.legend span { display: inline-flex; align-items: center; gap: .35rem; overflow-wrap: anywhere; }
figure .legend svg { flex: none; width: .75em; height: .75em; }
img { display: block; max-width: 100%; height: auto; }
pre {
  margin: .5rem 0; padding: .75rem 1rem; background: var(--raised); border-radius: .25rem;
  font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
}
.command { user-select: all; }
summary { cursor: pointer; }
@page { size: A4; margin: 15mm 14mm; }
@media print {
  :root {
    color-scheme: light; font-size: 12px;
    --page: #ffffff; --text: #000000; --quiet: #444444; --line: #bbbbbb; --raised: #ffffff; --accent: #2b6cb0;
  }
  body { max-width: none; padding: 0; print-color-adjust: exact; }
  p, figcaption, .headline, .tiles { max-width: none; }
  h2 { margin-top: 1.5rem; }
  h2, h3, h2 + p { break-after: avoid; }
  p, figure, table, .headline, .tiles > div, .panels > div, pre.command { break-inside: avoid; }
  .pair { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .triple { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .panels { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .pair, .triple { break-inside: avoid; }
  .scroll { overflow: visible; }
  pre { padding: 0; }
  details:not([open]) { display: none; }
}
`;
