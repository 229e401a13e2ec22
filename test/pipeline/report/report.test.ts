import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../src/pipeline/report/report.js';
import type { ReportInput, RunResult } from '../../../src/pipeline/report/types.js';

const HOSTILE = `</title></code><script>alert(1)</script><img src=x onerror="alert(1)"> & 'quoted' \\ "x`;

const result: RunResult = {
  device: { name: 'SwiftShader Device', kind: 'software', bundled: true },
  dataset: 'mnist',
  rows: [
    { name: 'random encoder', labels: 0.01, mean: 0.521, deviation: 0.019, seeds: 5 },
    { name: 'random encoder', labels: 0.05, mean: 0.753, deviation: 0.007, seeds: 5 },
    { name: 'random subset', labels: 0.01, mean: 0.568, deviation: 0.018, seeds: 5 },
    { name: 'random subset', labels: 0.05, mean: 0.782, deviation: 0.006, seeds: 5 },
    { name: 'MKDT', labels: 0.01, mean: 0.642, deviation: 0.012, seeds: 5 },
    { name: 'MKDT', labels: 0.05, mean: 0.825, deviation: 0.005, seeds: 5 },
    { name: 'teacher', labels: 0.05, mean: 0.862, deviation: 0.003, seeds: 5 },
  ],
  heldOutError: [
    { name: 'random subset', mean: 0.0612, deviation: 0.004 },
    { name: 'MKDT', mean: 0.0942, deviation: 0.0031 },
  ],
  transfer: [],
  trajectoryLoss: { first: 0.88, last: 0.503 },
  innerStep: { first: 0.1, last: 0.612 },
  seconds: { teacher: 23.41, distil: 322.5 },
};

const input: ReportInput = {
  title: 'MKDT on MNIST',
  command: 'hypergrad run --preset mnist-small',
  result,
  events: Array.from({ length: 60 }, (_, iteration) => ({
    iteration,
    loss: 0.9 - iteration / 150 + 0.05 * Math.sin(iteration),
    innerStep: 0.1 + iteration / 100,
  })),
  imagesPng: Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
  configYaml: 'seed: 1\n',
};

const spaces = (text: string) => text.replaceAll('\u00a0', ' ');

async function render(changes: Partial<ReportInput> = {}): Promise<string> {
  return spaces(await renderReport({ ...input, ...changes }));
}

function withRows(mkdt: number, random: number, deviation: number, seeds = 5): Partial<ReportInput> {
  const rows = [
    { name: 'random subset', labels: 0.05, mean: random, deviation, seeds },
    { name: 'MKDT', labels: 0.05, mean: mkdt, deviation, seeds },
  ];
  return { result: { ...result, rows } };
}

describe('renderReport', () => {
  it('shows every row, error, stage and the way to repeat the run', async () => {
    const page = await render();
    for (const row of result.rows) {
      expect(page).toContain(`>${row.name}</th>`);
      expect(page).toContain(`<td>${(100 * row.mean).toFixed(1)} ± ${(100 * row.deviation).toFixed(1)}</td>`);
    }
    expect(page).toContain('<td>–</td>');
    expect(page).toContain('over 5 seeds');
    expect(page).toContain('<td>0.0612 ± 0.0040</td>');
    expect(page).toContain('<td>0.0942 ± 0.0031</td>');
    expect(page).toContain('<th scope="row">teacher</th><td>23.4 s</td>');
    expect(page).toContain('<th scope="row">distil</th><td>5 min 23 s</td>');
    expect(page).toContain('from 0.88 (mean of the first 20 iterations) to 0.503');
    expect(page).toContain('α from 0.1 to 0.612');
    expect(page).toContain('<code>hypergrad run --preset mnist-small</code>');
    expect(page).toContain('<code>seed: 1\n</code>');
    expect(page).toContain('src="data:image/png;base64,iVBORw=="');
  });

  it('contains no scripts, asks for nothing and says so to the browser', async () => {
    const page = await render();
    expect(page).toMatch(
      /content="default-src 'none'; style-src 'sha256-[\w+/]{43}='; img-src data:; base-uri 'none'; form-action 'none'"/,
    );
    expect(page).not.toMatch(/unsafe|\sstyle=/);
    expect(page).not.toMatch(/<script|javascript:|\son[a-z]+=/i);
    expect(page).not.toMatch(/https?:|@import|url\((?!#)/i);
    for (const [, address] of page.matchAll(/\s(?:src|href|xlink:href)="([^"]*)"/g)) {
      expect(address).toMatch(/^data:image\/png;base64,/);
    }
  });

  it('escapes hostile texts wherever they come from', async () => {
    const rows = result.rows.map((row) => (row.name === 'teacher' ? { ...row, name: HOSTILE } : row));
    const page = await render({
      title: HOSTILE,
      command: HOSTILE,
      configYaml: HOSTILE,
      result: {
        ...result,
        rows,
        dataset: HOSTILE,
        device: { ...result.device, name: HOSTILE },
        heldOutError: [{ name: HOSTILE, mean: 1, deviation: 0 }],
        transfer: [{ student: HOSTILE, rows, heldOutError: [{ name: HOSTILE, mean: 1, deviation: 0 }] }],
        seconds: { [HOSTILE]: 1 },
      },
    });
    expect(page).not.toMatch(/<script|<img src=x|<\/code><script/i);
    expect(page).toContain('<title>&lt;/title&gt;&lt;/code&gt;&lt;script&gt;');
    expect(page.match(/&lt;script&gt;alert\(1\)/g)!.length).toBeGreaterThanOrEqual(7);
    expect(page.match(/<\/title>/g)).toHaveLength(1);
  });

  it('names a software device beside every table and figure', async () => {
    const page = await render();
    const captions = [...page.matchAll(/<figcaption>(.*?)<\/figcaption>/gs)];
    expect(captions).toHaveLength(7);
    for (const [, caption] of captions) {
      expect(caption).toContain('SwiftShader Device, a software device (the bundled one)');
    }
    const hardware = { name: 'Some GPU', kind: 'hardware', bundled: false } as const;
    const other = await render({ result: { ...result, device: hardware } });
    expect(other).toContain('Computed on Some GPU.');
    expect(other).not.toContain('software');
  });

  it.each([
    {
      when: 'better',
      changes: withRows(0.825, 0.782, 0.006),
      words:
        '78.2 ± 0.6 % after a random subset of the same size (mean ± standard deviation over 5 seeds): 4.3 percentage points better.',
    },
    { when: 'worse', changes: withRows(0.7, 0.782, 0.006), words: '8.2 percentage points worse.' },
    {
      when: 'unclear',
      changes: withRows(0.79, 0.782, 0.01),
      words: 'the difference of 0.8 percentage points is within the spread between seeds.',
    },
    {
      when: 'from one seed',
      changes: withRows(0.825, 0.782, 0, 1),
      words: '4.3 percentage points better, though one seed cannot show the spread.',
    },
  ])('says plainly in its headline when MKDT is $when', async ({ changes, words }) => {
    const page = await render(changes);
    const headline = page.match(/<div class="headline">(.*?)<\/div>/s)![1];
    expect(headline).toContain('With 5 % of the labels');
    expect(headline).toContain(words);
  });

  it('compares the distance to the teacher in its headline too', async () => {
    expect(await render()).toContain(
      'is 0.0942 ± 0.0031, against 0.0612 ± 0.0040 after the random subset: further from the teacher.',
    );
  });

  it('draws its figures from valid numbers, scalable and described', async () => {
    const page = await render();
    const figures = [...page.matchAll(/<svg.*?<\/svg>/gs)].map(([svg]) => svg);
    expect(figures).toHaveLength(3);
    for (const svg of figures) {
      expect(svg).toMatch(/^<svg(?=[^>]* viewBox="0 0 \d+ \d+")(?=[^>]* aria-label="[^"]+")(?![^>]* width=)/);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
    for (const name of ['random encoder', 'random subset', 'MKDT', 'teacher']) {
      expect(figures[0]).toContain(`>${name}</text>`);
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('survives numbers that are not finite, and says so', async () => {
    const events = input.events.map((event) =>
      event.iteration === 7 ? { ...event, loss: Number.NaN } : event,
    );
    const rows = [
      ...result.rows,
      { name: 'diverged', labels: 0.05, mean: Number.NaN, deviation: 0, seeds: 5 },
    ];
    const page = await render({ events, result: { ...result, rows } });
    expect(page).toContain('<td>not finite ± 0.0</td>');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('draws nothing where no value is finite', async () => {
    const events = [{ iteration: 0, loss: Number.NaN, innerStep: Number.POSITIVE_INFINITY }];
    const rows = [{ name: 'MKDT', labels: 0.05, mean: Number.NaN, deviation: Number.NaN, seeds: 5 }];
    const page = await render({ events, result: { ...result, rows } });
    expect(page.match(/No value is finite/g)).toHaveLength(3);
    expect(page).not.toMatch(/<svg|NaN|undefined|Infinity/);
  });

  it('shows a table of accuracies and one of distances for each other architecture', async () => {
    const transfer = [
      { student: 'MLP, 2 layers of 8', rows: result.rows.slice(0, 2), heldOutError: result.heldOutError },
      { student: 'ResNet-18, width 4', rows: [], heldOutError: result.heldOutError.slice(0, 1) },
    ];
    const page = await render({ result: { ...result, transfer } });
    const section = page.match(/<h2>Transfer to other architectures(.*?)<h2>/s)![1]!;
    expect([...section.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, name]) => name)).toEqual([
      'MLP, 2 layers of 8',
      'ResNet-18, width 4',
    ]);
    expect([...section.matchAll(/<table aria-label="(.*?)"/g)].map(([, label]) => label)).toEqual([
      'Test accuracy by encoder and share of labels: MLP, 2 layers of 8',
      'Squared distance to the teacher by encoder: MLP, 2 layers of 8',
      'Squared distance to the teacher by encoder: ResNet-18, width 4',
    ]);
    expect(section).toContain('the inner step α that was learned for the student');
    expect(await render()).not.toContain('other architectures');
  });

  it.each([...new Set(result.rows.map(({ name }) => name))])('does without the row %s', async (missing) => {
    const rows = result.rows.filter(({ name }) => name !== missing);
    const heldOutError = result.heldOutError.filter(({ name }) => name !== missing);
    const page = await render({ result: { ...result, rows, heldOutError } });
    expect(page).not.toContain(`<th scope="row">${missing}</th><td>${missing === 'teacher' ? '–' : ''}`);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('leaves out what a run does not have', async () => {
    const empty = { ...result, rows: [], heldOutError: [], seconds: {} };
    const page = await render({ events: [], imagesPng: new Uint8Array(0), result: empty });
    expect(page).toContain('did not evaluate both MKDT and a random subset');
    expect(page).not.toMatch(/<svg|<img|<table/);
  });

  it('is accessible: a language, one main heading, headers with scope, alternative texts', async () => {
    const page = await render();
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<h1>/g)).toHaveLength(1);
    expect(page).not.toMatch(/<th(?![^>]*scope=)[ >]/);
    expect(page).not.toMatch(/<img(?![^>]*alt="[^"]+)/);
  });

  it('gives the same page for the same input', async () => {
    expect(await render()).toBe(await render());
  });
});
