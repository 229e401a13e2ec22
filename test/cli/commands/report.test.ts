import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, StoreError } from '../../../src/errors.js';
import { said as hypergrad, refusal } from '../../support/command.js';

let scratch = '';
const at = (name: string) => join(scratch, name);
const text = (name: string) => readFileSync(at(name), 'utf8');

/** Every file's content and time. */
const seen = (name: string): unknown[] =>
  readdirSync(at(name), { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const facts = statSync(path);
      const hash = facts.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
      return [path, hash, facts.mtimeMs];
    });

/** A copy of the run, with a file of it changed or removed. */
function copy(name: string, file?: string, change?: (content: string) => string): string {
  cpSync(at('run'), at(name), { recursive: true });
  if (file !== undefined && change === undefined) rmSync(join(at(name), file));
  if (file !== undefined && change !== undefined) {
    writeFileSync(join(at(name), file), change(readFileSync(join(at(name), file), 'utf8')));
  }
  return at(name);
}

const ARGS = ['--preset', 'tiny-test', '--set', 'evaluate.rows=[randomSubset, mkdt]'];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-report-'));
  await hypergrad('run', ...ARGS, '--out', at('run'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('hypergrad report of one run', () => {
  it('makes the very page that the run left, and leaves the folder as it is', async () => {
    const before = seen('run');
    const said = await hypergrad('report', at('run'), '--out', at('again.html'));
    expect(said).toBe(`Report: ${at('again.html')}\n`);
    expect(text('again.html')).toBe(text('run/report.html'));
    expect(seen('run')).toEqual(before);
    expect(text('again.html')).toContain(
      '<code>hypergrad run --preset tiny-test --set &#39;evaluate.rows=[randomSubset, mkdt]&#39;</code>',
    );
  });

  it('replaces the page in the folder where that is asked for', async () => {
    const run = copy('replaced', 'report.html', () => 'old');
    await hypergrad('report', run, '--out', join(run, 'report.html'));
    expect(text('replaced/report.html')).toBe(text('run/report.html'));
  });

  it('prints the data behind the page, and writes none', async () => {
    const { comparison, runs } = JSON.parse(await hypergrad('report', at('run'), '--json'));
    expect(comparison.tables).toHaveLength(1);
    expect(runs).toHaveLength(1);
    const [{ name, title, result, evaluation, bestBaselines, curves, representations }] = runs;
    expect([name, title]).toEqual(['run', 'mnist: 200 images distilled to 10']);
    expect(result.rows.map((row: { name: string }) => row.name)).toContain('MKDT');
    expect(evaluation.rows[0].accuracies).toHaveLength(2);
    expect(bestBaselines.map((each: { against: string }) => each.against)).toEqual([
      'random subset',
      'random subset',
    ]);
    expect(curves.distil).toHaveLength(4);
    expect(representations.encoders.map((each: { name: string }) => each.name)).toEqual([
      'teacher',
      'random subset',
      'MKDT',
    ]);
    expect(existsSync('report.html')).toBe(false);
  });

  it('does without what earlier versions did not leave', async () => {
    const run = copy('old', 'representations.safetensors');
    rmSync(join(run, 'standardisation.json'));
    const { command: _, ...result } = JSON.parse(text('old/result.json')) as { command: string };
    writeFileSync(join(run, 'result.json'), JSON.stringify(result));
    await hypergrad('report', run, '--out', at('old.html'));
    expect(text('old.html')).toContain('This run kept no representations');
    expect(text('old.html')).toContain('does not say how its images were standardised');
    expect(text('old.html')).toContain('The run did not keep its command');
  });
});

describe('hypergrad report of several runs', () => {
  const second = () =>
    copy(`second-${Math.random()}`, 'config.yaml', (config) => config.replace('seed: 1\n', 'seed: 2\n'));

  it('lays them beside each other in one page', async () => {
    const [a, b] = [at('run'), second()];
    await hypergrad('report', a, b, '--out', at('both.html'));
    const page = text('both.html');
    expect(page).toContain('<h1>mnist: 2 runs side by side</h1>');
    expect(page).toContain('which differ in the seed alone: ');
    expect(page).toContain('<th scope="col">run</th>');
    expect(page).not.toContain(scratch);
    const { comparison, runs } = JSON.parse(await hypergrad('report', a, b, '--json'));
    expect(comparison.groups).toEqual([{ settings: {}, seeds: [1, 2] }]);
    expect(runs.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2]);
  });

  it('refuses runs that cannot be compared', async () => {
    const same = await refusal('report', at('run'), at('run'), '--out', at('x.html'));
    expect(same).toBeInstanceOf(ConfigError);
    expect((same as Error).message).toMatch(/are the same run/);
    expect(existsSync(at('x.html'))).toBe(false);
  });
});

describe('hypergrad report of what is not finished', () => {
  it('names the stages that are missing, or the result', async () => {
    const stopped = copy('stopped', 'manifest.json', (manifest) => {
      const { stages, ...rest } = JSON.parse(manifest) as { stages: Record<string, unknown> };
      const { distil: _, evaluate: __, ...done } = stages;
      return JSON.stringify({ ...rest, stages: done });
    });
    rmSync(join(stopped, 'result.json'));
    const error = await refusal('report', stopped, '--out', at('x.html'));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).message).toMatch(
      /stopped is not finished: its stages distil, evaluate have not run to the end\. Give the run's command again/,
    );
    const cut = await refusal('report', copy('cut', 'result.json'), '--out', at('x.html'));
    expect((cut as Error).message).toMatch(
      /its stages are done, but result\.json, which is written last, is missing/,
    );
    const none = await refusal('report', at('nowhere'), '--out', at('x.html'));
    expect(none).toBeInstanceOf(StoreError);
    expect((none as Error).message).toMatch(
      /config\.yaml does not exist: .*nowhere is not the folder of a finished run/,
    );
    expect(existsSync(at('x.html'))).toBe(false);
  });

  it.each([
    ['result.json', '{', /result\.json is damaged/],
    ['result.json', '{"version": 9}', /result\.json is of version 9, written by a newer hypergrad/],
    ['events.jsonl', '{"stage":"distil","iteration":0}\n', /event 1 of the stage distil is damaged/],
    ['events.jsonl', '', /holds no event of distillation/],
    ['evaluation.json', '{"version": 2}', /evaluation\.json is damaged/],
    ['representations.safetensors', 'rubbish', /representations\.safetensors/],
  ])('says in one sentence that %s is damaged (%j)', async (file, content, message) => {
    const run = copy(`damaged-${Math.random()}`, file, () => content);
    const error = (await refusal('report', run, '--out', at('x.html'))) as StoreError;
    expect(error.message).toMatch(message);
    expect([5, 6]).toContain(error.exitCode);
  });

  it('says where its page cannot be written, and that it is no page', async () => {
    const nowhere = await refusal('report', at('run'), '--out', at('no/folder.html'));
    expect((nowhere as ConfigError).message).toMatch(/--out .* cannot be written: its folder does not exist/);
    const picture = await refusal('report', at('run'), '--out', at('page.png'));
    expect((picture as ConfigError).message).toMatch(/must be the name of an \.html file/);
  });
});
