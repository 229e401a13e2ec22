import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { terminalProgress } from '../../src/cli/terminalProgress.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

function capture(terminal: boolean) {
  const stream = Object.assign(new PassThrough(), terminal ? { isTTY: true, columns: 120 } : {});
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { stream, text: () => text, lines: () => text.split('\n').slice(0, -1) };
}

describe('elsewhere than on a terminal', () => {
  it('says a line at start and end, and one at most every 10 seconds in between', () => {
    const { stream, lines } = capture(false);
    const progress = terminalProgress(stream);
    progress.started('distil', 200, 'iterations');
    vi.advanceTimersByTime(3000); // compiling, which is no speed
    for (let done = 1; done <= 200; done++) {
      progress.advanced('distil', done, 1 / (done + 0.5));
      vi.advanceTimersByTime(100);
    }
    progress.finished('distil', 23.04);
    expect(lines()).toEqual([
      'distil: 200 iterations',
      'distil 71/200 iterations, loss 0.01399, 10/s, 13 s left',
      'distil 171/200 iterations, loss 0.005831, 10/s, 3 s left',
      'distil: 200 iterations done in 23.0 s, loss 0.004988',
    ]);
  });

  it('measures a resumed stage from where it goes on', () => {
    const { stream, lines } = capture(false);
    const progress = terminalProgress(stream);
    progress.started('distil', 200, 'iterations');
    progress.advanced('distil', 100);
    vi.advanceTimersByTime(14_285);
    progress.advanced('distil', 120, 0.52);
    expect(lines()[1]).toBe('distil 120/200 iterations, loss 0.52, 1.4/s, 57 s left');
  });

  it('leaves out what is not known yet, and writes long times in minutes and hours', () => {
    const { stream, lines } = capture(false);
    const progress = terminalProgress(stream);
    progress.started('experts', 5, 'experts');
    vi.advanceTimersByTime(10_000);
    progress.advanced('experts', 1);
    vi.advanceTimersByTime(50_000);
    progress.advanced('experts', 2);
    vi.advanceTimersByTime(6_000_000);
    progress.advanced('experts', 3);
    progress.finished('experts', 5060);
    expect(lines().slice(1)).toEqual([
      'experts 1/5 experts',
      'experts 2/5 experts, 0.02/s, 2 min 30 s left',
      'experts 3/5 experts, 0.00033/s, 1 h 41 min left',
      'experts: 5 experts done in 1 h 24 min',
    ]);
  });

  it('tells a skipped stage', () => {
    const { stream, text } = capture(false);
    terminalProgress(stream).skipped('teacher');
    expect(text()).toBe('teacher: unchanged, skipped\n');
  });
});

describe('on a terminal', () => {
  it('draws a bar with stage, count, loss, speed and time left, and leaves one line when it ends', () => {
    vi.stubEnv('TERM', 'xterm');
    const { stream, text } = capture(true);
    const progress = terminalProgress(stream);
    progress.started('distil', 20, 'iterations');
    for (let done = 1; done <= 10; done++) {
      vi.advanceTimersByTime(1000);
      progress.advanced('distil', done, 0.5);
    }
    vi.advanceTimersByTime(200);
    expect(text()).toContain(
      `distil ${'█'.repeat(12)}${'░'.repeat(12)} 10/20 iterations, loss 0.5, 1/s, 10 s left`,
    );
    progress.finished('distil', 20);
    expect(text().endsWith('distil: 20 iterations done in 20.0 s, loss 0.5\n')).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('uses no colour', () => {
    vi.stubEnv('TERM', 'xterm');
    const { stream, text } = capture(true);
    const progress = terminalProgress(stream);
    progress.started('teacher', 2, 'steps');
    progress.advanced('teacher', 1, 0.1);
    progress.finished('teacher', 1);
    expect(text()).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
    expect(text()).not.toMatch(/\u001b\[[\d;]*m/);
  });

  it('stops drawing when closed in the middle of a stage', () => {
    vi.stubEnv('TERM', 'xterm');
    const progress = terminalProgress(capture(true).stream);
    progress.started('teacher', 2, 'steps');
    expect(vi.getTimerCount()).toBe(1);
    progress.close();
    expect(vi.getTimerCount()).toBe(0);
    progress.close();
  });

  it('writes lines where the terminal cannot draw', () => {
    vi.stubEnv('TERM', 'dumb');
    const { stream, text } = capture(true);
    terminalProgress(stream).started('teacher', 2, 'steps');
    expect(text()).toBe('teacher: 2 steps\n');
  });
});
