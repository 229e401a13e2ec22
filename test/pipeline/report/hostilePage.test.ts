/** What a browser makes of pages whose every text comes from a stranger. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ComparedRun, compareRuns } from '../../../src/pipeline/compare/compareRuns.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { renderReport } from '../../../src/pipeline/report/report.js';
import { renderSideBySide } from '../../../src/pipeline/report/sideBySide.js';
import type { ReportInput } from '../../../src/pipeline/report/types.js';
import type { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { lineChart } from '../../../src/pipeline/studies/lineChart.js';
import { writePage } from '../../../src/pipeline/studies/page.js';
import { hasBundledChromium, launch } from '../../browser/chromium.js';
import { input } from '../../support/reportInput.js';

const PAGE = 'http://pages.test/';

/** Each leaves another kind of place: an element, an attribute, a comment, a foreign element, a template, a pattern. */
const HOSTILE = [
  '</title></style></code><script>alert(1)</script>',
  '"><img src=http://else.test/a.png onerror=alert(2)>',
  "' onmouseover='alert(3)' autofocus onfocus='alert(4)",
  '--><!--<script>alert(5)</script>',
  '</text></svg><svg onload=alert(6)><a xlink:href="javascript:alert(7)">',
  ']]><iframe srcdoc="<script>parent.alert(8)</script>">',
  '<meta http-equiv=refresh content="0;url=http://else.test/">',
  '<base href="http://else.test/"><link rel=stylesheet href=a.css>',
  '<form action=http://else.test/><button autofocus>',
  "$& $' $` $1 {{alert(9)}} __proto__ constructor",
  '&lt;script&gt; &#60; &amp;',
  '<style>@import "http://else.test/b.css"; body { background: url(http://else.test/c.png) }</style>',
];

const each = <Value>(make: (text: string, k: number) => Value): Value[] => HOSTILE.map(make);

/** The texts from one on, round and round: so single fields see others in every page. */
const from = (text: string, place: number): string =>
  HOSTILE[(HOSTILE.indexOf(text) + place) % HOSTILE.length] ?? text;

function reportInput(text: string): ReportInput {
  const row = (name: string) => ({ name, labels: 0.05, mean: 0.5, deviation: 0.1, seeds: 2 });
  const rows = each(row);
  const heldOutError = each((name) => ({ name, mean: 0.1, deviation: 0.01 }));
  return {
    title: text,
    command: from(text, 1),
    configYaml: from(text, 2),
    evaluation: { rows: each((name) => ({ name, labels: 0.05, accuracies: [0.4, 0.6] })), heldOut: [] },
    curves: { ...input.curves, distil: input.curves.distil.slice(0, 4) },
    pictures: input.pictures,
    representations: {
      ...input.representations!,
      classes: [from(text, 5), from(text, 6), from(text, 7)],
      encoders: input.representations!.encoders.map(({ values }, k) => ({ name: from(text, 8 + k), values })),
    },
    result: {
      device: { name: from(text, 3), kind: 'software', bundled: false },
      dataset: from(text, 4),
      rows,
      heldOutError,
      transfer: [{ student: from(text, 5), rows, heldOutError }],
      trajectoryLoss: { first: 1, last: 0.5 },
      innerStep: { first: 0.1, last: 0.2 },
      seconds: Object.fromEntries(each((name, k) => [name, k])),
    },
  };
}

/** Two runs, of which every text is a stranger's. */
async function sideBySidePage(text: string): Promise<string> {
  const compared = (name: string, device: string, seed: number): ComparedRun => ({
    name,
    device,
    config: resolveConfig({ preset: 'tiny-test', seed, sets: [] }),
    evaluation: {
      version: 2,
      heldOut: each((row) => ({ name: row, errors: [0.1, 0.2] })),
      rows: [...each((row) => row), 'MKDT', 'random subset'].map((row) => ({
        ...{ name: row, labels: 0.05, accuracies: [0.4, 0.6] },
      })),
      transfer: [],
    },
  });
  const comparison = compareRuns([
    compared(text, from(text, 1), 1),
    compared(from(text, 2), from(text, 3), 2),
  ]);
  const reports = [reportInput(text), reportInput(from(text, 4))];
  return await renderSideBySide({ comparison: { ...comparison, dataset: text }, reports });
}

async function studyPage(text: string): Promise<string> {
  const written = new Map<string, string>();
  const folder = {
    writeText: async (name: string, content: string) => void written.set(name, content),
    writeBytes: async () => {},
  } as unknown as RunFolder;
  await writePage(folder, {
    ...{
      title: text,
      findings: HOSTILE,
      device: from(text, 1),
      dataset: from(text, 2),
      command: from(text, 3),
    },
    tables: [{ title: text, head: HOSTILE, body: [HOSTILE, HOSTILE], caption: text }],
    figures: [
      {
        file: 'figure',
        spec: lineChart({
          ...{ description: text, x: text, y: text },
          points: HOSTILE.flatMap((series, k) => [
            { x: 1, y: k, series, kind: series },
            { x: 2, y: k + 1, series, kind: series },
          ]),
        }),
        caption: text,
      },
    ],
  });
  return written.get('study.html')!;
}

/** Everything that a page may hold. */
const ELEMENTS = [
  ...[
    'html',
    'head',
    'meta',
    'title',
    'style',
    'body',
    'main',
    'h1',
    'h2',
    'h3',
    'p',
    'div',
    'dl',
    'dt',
    'dd',
    'pre',
    'code',
  ],
  ...[
    'details',
    'summary',
    'figure',
    'figcaption',
    'table',
    'thead',
    'tbody',
    'tfoot',
    'tr',
    'th',
    'td',
    'img',
  ],
  ...['section', 'strong', 'span'],
  ...['svg', 'g', 'path', 'text', 'defs', 'clippath', 'rect', 'line', 'tspan'],
];

describe.skipIf(!hasBundledChromium)(
  'a page of hostile texts, in a browser (Chromium on Linux x64 only)',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launch({ hasGpu: false });
    });
    afterAll(() => browser?.close());

    /** What happens when the page is opened, and what stands in it. */
    async function visit(body: string) {
      const happened: string[] = [];
      const page = await browser.newPage();
      try {
        page.on('dialog', (dialog) => {
          happened.push(`dialog ${dialog.message()}`);
          void dialog.dismiss();
        });
        page.on('console', (message) => happened.push(`console ${message.text()}`));
        page.on('pageerror', (error) => happened.push(`error ${error.message}`));
        page.on('popup', () => happened.push('popup'));
        await page.route('**', (route) => {
          const url = route.request().url();
          if (url === PAGE) return route.fulfill({ contentType: 'text/html; charset=utf-8', body });
          happened.push(`request ${url}`);
          return route.abort();
        });
        await page.goto(PAGE, { waitUntil: 'load' });
        await page.waitForTimeout(50);
        const found = await page.evaluate(() => {
          const all = Array.from(document.querySelectorAll('*'));
          const details = document.querySelector('details');
          if (details) details.open = true;
          return {
            address: location.href,
            elements: [...new Set(all.map((element) => element.tagName.toLowerCase()))],
            handlers: all.flatMap((element) =>
              Array.from(element.attributes)
                .filter(
                  ({ name, value }) => /^on|^srcdoc$|^style$/i.test(name) || /^\s*javascript:/i.test(value),
                )
                .map(({ name }) => name),
            ),
            sources: all.flatMap((element) =>
              ['src', 'href', 'xlink:href', 'action'].flatMap((name) => element.getAttribute(name) ?? []),
            ),
            title: document.title,
            text: document.body.textContent ?? '',
            styled: getComputedStyle(document.querySelector('h1')!).marginTop,
          };
        });
        return { happened, ...found };
      } finally {
        await page.close();
      }
    }

    it.each([
      ['report', async (text: string) => await renderReport(reportInput(text))],
      ['study', studyPage],
      ['page of two runs', sideBySidePage],
    ] as const)('shows every one as it is in a %s, and does nothing else', async (_, render) => {
      for (const text of HOSTILE.filter((_, k) => k % 3 === 0)) {
        const seen = await visit(await render(text));
        expect(seen.happened).toEqual([]);
        expect(seen.address).toBe(PAGE);
        expect(seen.elements.filter((name) => !ELEMENTS.includes(name))).toEqual([]);
        expect(seen.handlers).toEqual([]);
        expect(seen.sources.filter((address) => !address.startsWith('data:image/png;base64,'))).toEqual([]);
        expect(seen.title.replaceAll(/\s+/g, ' ')).toContain(text.trim().replaceAll(/\s+/g, ' '));
        for (const other of HOSTILE) expect(seen.text).toContain(other);
        // The page's own style sheet is let through.
        expect(seen.styled).toBe('0px');
      }
    });

    it('runs and fetches nothing even of what gets into the page unescaped', async () => {
      const page = await renderReport(reportInput('plain'));
      const seen = await visit(
        page.replace('</main>', () => `${HOSTILE.filter((text) => !/refresh/.test(text)).join('\n')}</main>`),
      );
      expect(seen.elements).toContain('script');
      expect(seen.happened.filter((event) => !event.startsWith('console '))).toEqual([]);
      expect(seen.happened.join()).toMatch(/Content Security Policy/);
    });
  },
);
