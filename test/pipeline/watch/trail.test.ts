import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/errors.js';
import { leaveTrail, readTrail, TRAIL } from '../../../src/pipeline/watch/trail.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-trail-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const facts = { command: 'hypergrad run', image: [1, 14, 14] } as const;

describe('leaveTrail', () => {
  it('tells stages, their speed since the first step, and an error at the end', async () => {
    let now = 0;
    const trail = leaveTrail(folder, facts, () => now);
    trail.skipped('teacher');
    trail.started('distil', 100, 'iterations');
    now = 60_000;
    trail.advanced('distil', 10, 0.5);
    now = 64_000;
    trail.advanced('distil', 18, 0.25);
    await trail.end(new InterruptedError('Stopped as asked.'));
    expect(await readTrail(folder)).toMatchObject({
      process: process.pid,
      command: 'hypergrad run',
      image: [1, 14, 14],
      stages: [
        { name: 'teacher', state: 'skipped' },
        { name: 'distil', state: 'running', total: 100, done: 18, loss: 0.25, perSecond: 2, seconds: null },
      ],
      ended: { exitCode: 130, message: 'Stopped as asked.' },
    });
    expect(readdirSync(folder)).toEqual([TRAIL]);
  });

  it('leaves nothing behind a run that is finished, whatever is told after it', async () => {
    const trail = leaveTrail(folder, facts);
    trail.started('teacher', 5, 'steps');
    trail.finished('teacher', 1);
    await trail.end();
    await trail.end(new Error('too late'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('writes at most once a second between beginnings and ends', async () => {
    let now = 0;
    const trail = leaveTrail(folder, facts, () => now);
    trail.started('teacher', 5, 'steps');
    const doneSteps = async (): Promise<number | undefined> => (await readTrail(folder))?.stages[0]?.done;
    await expect.poll(doneSteps).toBe(0);
    now = 500;
    trail.advanced('teacher', 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await doneSteps()).toBe(0);
    now = 1000;
    trail.advanced('teacher', 2, Number.NaN);
    await expect
      .poll(async () => (await readTrail(folder))?.stages[0])
      .toMatchObject({ done: 2, loss: null });
  });

  it('lets the run go on where it cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const trail = leaveTrail(join(folder, 'file'), facts);
    trail.started('teacher', 5, 'steps');
    await trail.end(new Error('something else'));
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

it.each(['', '{', '[]', '{"version":2}', 'null'])('takes %j for no trail', async (text) => {
  writeFileSync(join(folder, TRAIL), text);
  expect(await readTrail(folder)).toBeNull();
});
