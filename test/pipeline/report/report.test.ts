import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../src/pipeline/report/report.js';
import type { ReportInput } from '../../../src/pipeline/report/types.js';
import { input, result, seedsOf } from '../../support/reportInput.js';

const HOSTILE = `</title></code><script>alert(1)</script><img src=x onerror="alert(1)"> & 'quoted' \\ "x`;

const spaces = (text: string) => text.replaceAll('\u00a0', ' ');

/** Of a run that told nothing. */
const none = { distil: [], teacher: [], experts: [], selfSupervisedExperts: [], selfSupervised: [] };

async function render(changes: Partial<ReportInput> = {}): Promise<string> {
  return spaces(await renderReport({ ...input, ...changes }));
}

function withRows(mkdt: number, random: number, deviation: number, seeds = 5): Partial<ReportInput> {
  const rows = [
    { name: 'random subset', labels: 0.05, mean: random, deviation, seeds },
    { name: 'MKDT', labels: 0.05, mean: mkdt, deviation, seeds },
  ];
  return { result: { ...result, rows }, evaluation: seedsOf(rows) };
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
    expect(page).toContain('<th scope="row">teacher</th><td>23.4 s</td>\n<td>7 %</td>');
    expect(page).toContain('<th scope="row">distil</th><td>5 min 23 s</td>');
    expect(page).toContain('from 0.88 (mean of the first 20 iterations) to 0.503');
    expect(page).toContain('α from 0.1 to 0.612');
    expect(page).toContain('<code>hypergrad run --preset mnist-small</code>');
    expect(page).toContain('<code>seed: 1\n</code>');
    expect(page.match(/src="data:image\/png;base64,iVBORw/g)).toHaveLength(3);
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
      evaluation: seedsOf(rows),
      representations: {
        ...input.representations!,
        classes: [HOSTILE, 'one', 'two'],
        encoders: input.representations!.encoders.map((encoder) => ({ ...encoder, name: HOSTILE })),
      },
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
    expect(captions).toHaveLength(15);
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
        '78.2 ± 0.6 % of the best baseline, the random subset (mean ± standard deviation over 5 seeds). Seed by seed it is 4.3 ± 0.6 percentage points better (mean paired difference ± deviation of the mean, n = 5).',
    },
    {
      when: 'worse',
      changes: withRows(0.7, 0.782, 0.006),
      words: 'Seed by seed it is 8.2 ± 0.6 percentage points worse',
    },
    {
      when: 'unclear',
      changes: withRows(0.79, 0.782, 0.01),
      words:
        'the difference is +0.8 ± 1.0 percentage points (mean paired difference ± deviation of the mean, n = 5): no more than twice its deviation, so no clear difference.',
    },
    {
      when: 'from one seed',
      changes: withRows(0.825, 0.782, 0, 1),
      words: 'It is 4.3 percentage points better, though one seed cannot show the spread.',
    },
  ])('says plainly in its headline when MKDT is $when', async ({ changes, words }) => {
    const page = await render(changes);
    const headline = page.match(/<div class="headline">(.*?)<\/div>/s)![1];
    expect(headline).toContain('With 5 % of the labels');
    expect(headline).toContain(words);
  });

  it('puts the difference to the best baseline at each share of the labels in large figures', async () => {
    const page = await render();
    const tiles = page.match(/<div class="tiles">(.*?)<dl/s)![1]!;
    expect([...tiles.matchAll(/<p class="amount">(.*?)<\/p>/g)].map(([, figure]) => figure)).toEqual([
      '+7.4 ± 1.5',
      '+4.3 ± 0.6',
    ]);
    expect(tiles).toContain('against the random subset, the best baseline, with 1 % of the labels');
    expect(tiles).toContain('64.2 ± 1.2 % and 56.8 ± 1.8 % (5 seeds, paired)');
  });

  it('shows how MKDT differs from every other row, seed by seed', async () => {
    const section = (await render()).match(/<h2>MKDT against each, seed by seed<\/h2>(.*?)<\/section>/s)![1]!;
    expect(section).toContain('<th scope="row">random encoder</th><td>+12.1 ± 1.6</td>\n<td>+7.2 ± 0.6</td>');
    expect(section).toContain('<th scope="row">teacher</th><td>–</td>\n<td>−3.7 ± 0.4</td>');
  });

  it('shows representations beside each other, and says what the axes are and hold', async () => {
    const page = await render();
    const section = page.match(/<h2>What the encoders see<\/h2>(.*?)<\/section>/s)![1]!;
    expect(section.match(/<svg role="img"/g)).toHaveLength(3);
    expect(section).toMatch(/<strong>MKDT<\/strong>: \d+ % of its variance is seen here/);
    expect(section).toMatch(
      /first two principal components of the teacher’s representations, which hold \d+ % and \d+ %/,
    );
    expect(section).toContain('one of 12 held-out images, the same in every panel');
    for (const name of ['zero', 'one', 'two']) expect(section).toContain(`</svg>${name}</span>`);
    const unlabelled = await render({
      representations: { ...input.representations!, labels: null, classes: [] },
    });
    expect(unlabelled).toContain('no labels, so that all have one colour');
    expect(unlabelled).not.toContain('class="legend"');
    expect(await render({ representations: null })).toContain('<code>--force evaluate</code>');
  });

  it('says of what scale the differences of its images are', async () => {
    const { scale } = input.pictures!;
    expect(await render()).toContain(
      `the strongest colour is a change by ${(100 * scale).toPrecision(3)} % of the range from black to white or more`,
    );
    const far = await render({ pictures: { ...input.pictures!, scale: 2.5 } });
    expect(far).toContain('a change by 2.5 times the range from black to white, beyond which learnt pixels');
    expect(await render({ pictures: null })).toContain('does not say how its images were standardised');
  });

  it('says how to repeat a run that did not keep its command', async () => {
    expect(await render({ command: null })).toContain('<code>hypergrad run config.yaml</code>');
  });

  it('compares the distance to the teacher in its headline too', async () => {
    expect(await render()).toContain(
      'is 0.0942 ± 0.0031, against 0.0612 ± 0.0040 after the random subset: further from the teacher.',
    );
    // Each seed's pair lies as far apart, however much the seeds differ among themselves.
    const paired = [
      { name: 'random subset', errors: [0.05, 0.07, 0.09] },
      { name: 'MKDT', errors: [0.0501, 0.0702, 0.0903] },
    ];
    const heldOutError = paired.map(({ name }) => ({ name, mean: 0.07, deviation: 0.016 }));
    const of = (heldOut: typeof paired) =>
      render({ result: { ...result, heldOutError }, evaluation: { ...input.evaluation, heldOut } });
    expect(await of(paired)).toContain('after the random subset: further from the teacher.');
    expect(await of(paired.map(({ name, errors }) => ({ name, errors: errors.slice(0, 1) })))).toContain(
      'further from the teacher, though one seed cannot show the spread.',
    );
  });

  it('draws its figures from valid numbers, scalable and described', async () => {
    const page = await render();
    const figures = [...page.matchAll(/<svg role="img".*?<\/svg>/gs)].map(([svg]) => svg);
    expect(figures).toHaveLength(10);
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
    const distil = input.curves.distil.map((event) =>
      event.iteration === 7 ? { ...event, loss: Number.NaN } : event,
    );
    const rows = [
      ...result.rows,
      { name: 'diverged', labels: 0.05, mean: Number.NaN, deviation: 0, seeds: 5 },
    ];
    const curves = { ...input.curves, distil };
    const page = await render({ curves, result: { ...result, rows } });
    expect(page).toContain('<td>not finite ± 0.0</td>');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('draws nothing where no value is finite', async () => {
    const distil = [{ iteration: 0, loss: Number.NaN, innerStep: Number.POSITIVE_INFINITY }];
    const curves = { ...none, distil };
    const rows = [{ name: 'MKDT', labels: 0.05, mean: Number.NaN, deviation: Number.NaN, seeds: 5 }];
    const bare = { representations: null, evaluation: seedsOf([]) };
    const page = await render({ ...bare, curves, result: { ...result, rows, seconds: {} } });
    expect(page.match(/No value is finite/g)).toHaveLength(3);
    expect(page).not.toMatch(/<svg|NaN|undefined|Infinity/);
  });

  it('shows a table of accuracies and one of distances for each other architecture', async () => {
    const transfer = [
      { student: 'MLP, 2 layers of 8', rows: result.rows.slice(0, 2), heldOutError: result.heldOutError },
      { student: 'ResNet-18, width 4', rows: [], heldOutError: result.heldOutError.slice(0, 1) },
    ];
    const page = await render({ result: { ...result, transfer } });
    const section = page.match(/<h2>Transfer to other architectures(.*?)<\/section>/s)![1]!;
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
    const page = await render({ evaluation: seedsOf(rows), result: { ...result, rows, heldOutError } });
    expect(page).not.toContain(`<th scope="row">${missing}</th><td>${missing === 'teacher' ? '–' : ''}`);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('leaves out what a run does not have', async () => {
    const empty = { ...result, rows: [], heldOutError: [], seconds: {} };
    const page = await render({
      ...{ curves: none, pictures: null, representations: null },
      ...{ evaluation: seedsOf([]), result: empty },
    });
    expect(page).toContain('did not evaluate both MKDT and a baseline of its size');
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
