import { describe, expect, it } from 'vitest';
import { endSentence, frame, thin } from '../../../src/cli/watch/frame.js';
import type { RunSnapshot, StageView } from '../../../src/pipeline/watch/snapshot.js';

const stage = (name: string, fields: Partial<StageView>): StageView => ({
  name,
  state: 'waiting',
  done: null,
  total: null,
  unit: 'steps',
  loss: null,
  perSecond: null,
  secondsLeft: null,
  seconds: null,
  ...fields,
});

const run: RunSnapshot = {
  folder: 'runs/a',
  state: 'running',
  exitCode: null,
  message: null,
  command: 'hypergrad run --out runs/a',
  stages: [
    stage('teacher', { state: 'done', total: 100, loss: 1.5, seconds: 12.3 }),
    stage('targets', { state: 'skipped' }),
    stage('distil', {
      ...{ state: 'running', done: 120, total: 240, unit: 'iterations' },
      ...{ loss: 0.5215, perSecond: 2, secondsLeft: 60 },
    }),
    stage('evaluate', {}),
  ],
  curve: {
    stage: 'distil',
    steps: Array.from({ length: 120 }, (_, k) => k + 1),
    losses: Array.from({ length: 120 }, (_, k) => 1 / (k + 1)),
  },
  innerStep: { first: 0.1, latest: 0.25 },
  report: null,
  images: { count: 2, image: [1, 7, 7], data: new Float32Array(98), file: 'synthetic.safetensors', time: 0 },
};
const surface = { columns: 80, rows: 48, colours: 'none' } as const;

describe('frame', () => {
  it('tells stages, time left, losses, α and images', () => {
    const lines = frame(run, surface);
    expect(lines.slice(0, 7)).toEqual([
      'runs/a: running, stage 3 of 4',
      '✓ teacher   100 steps, loss 1.5, 12.3 s',
      '✓ targets   unchanged, skipped',
      '▶ distil    ██████████░░░░░░░░░░ 120/240 iterations, loss 0.5215, 2.0/s, 60 s left'.replace(
        '2.0/s',
        '2/s',
      ),
      '· evaluate',
      '',
      'loss of distil: 0.008333, from 1; α 0.25, from 0.1',
    ]);
    expect(lines.some((line) => line.includes('▲'))).toBe(true);
    expect(lines).toContain('2 synthetic images, of synthetic.safetensors');
  });

  it.each([
    [20, 5],
    [30, 12],
    [40, 24],
    [200, 60],
  ])('stays within %i columns and %i rows', (columns, rows) => {
    const lines = frame(run, { columns, rows, colours: 'none' });
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
  });

  it('has no chart of a single loss, or of none that is finite', () => {
    const one = { ...run, curve: { stage: 'distil', steps: [1], losses: [0.5] } };
    const none = { ...run, curve: { stage: 'distil', steps: [1, 2], losses: [Number.NaN, Number.NaN] } };
    for (const each of [one, none]) expect(frame(each, surface).join('\n')).not.toContain('▲');
  });
});

it('gives a terminal no orders, whatever a folder holds', () => {
  const evil = '\u001b[2J\u0007\n';
  const stages = [stage(evil, { state: 'stopped', done: 1, total: 2, unit: evil })];
  const lines = frame({ ...run, stages, curve: { ...run.curve!, stage: evil }, images: null }, surface);
  const end = endSentence({ ...run, state: 'stopped', exitCode: 1, message: evil, command: evil });
  // The one break is ours.
  for (const line of [...lines, ...end.split('\n')]) expect(line).not.toMatch(/\p{Cc}/u);
  expect(end.split('\n')).toHaveLength(2);
});

describe('endSentence', () => {
  it('says how it ended and what to do next', () => {
    expect(endSentence(run)).toBe('');
    expect(endSentence({ ...run, state: 'finished', exitCode: 0, report: 'runs/a/report.html' })).toBe(
      'Finished. Report: runs/a/report.html',
    );
    expect(endSentence({ ...run, state: 'stopped', exitCode: 130, message: 'Stopped as asked.' })).toBe(
      'Stopped (exit code 130): Stopped as asked.\nTo go on: hypergrad run --out runs/a',
    );
    expect(endSentence({ ...run, state: 'stopped', exitCode: 1, command: null })).toMatch(
      /nobody works on it/,
    );
  });
});

it('thins a curve to means of neighbours, none left out', () => {
  const curve = { steps: [1, 2, 3, 4, 5], losses: [1, 3, 5, 7, 9] };
  expect(thin(curve, 5)).toEqual(curve);
  expect(thin(curve, 3)).toEqual({ steps: [2, 4, 5], losses: [2, 6, 9] });
});
