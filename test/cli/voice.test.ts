import { afterEach, describe, expect, it, vi } from 'vitest';
import { progressFor, voiceOf } from '../../src/cli/voice.js';

/** What a voice prints of an answer, a remark and a step. */
function spoken(flags: Parameters<typeof voiceOf>[0]): { stdout: string; stderr: string } {
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  );
  const { say, remark, step } = voiceOf(flags);
  say('answer');
  remark('remark');
  step('step');
  const progress = progressFor(flags);
  progress.started('distil', 2, 'iterations');
  progress.finished('distil', 1);
  const [stdout, stderr] = streams.map((spy) => spy.mock.calls.map(([text]) => text).join('')) as [
    string,
    string,
  ];
  return { stdout, stderr };
}

describe('voiceOf', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('answers on stdout, and tells progress on stderr', () => {
    const { stdout, stderr } = spoken({});
    expect(stdout).toBe('answer\nremark\n');
    expect(stderr).toMatch(/^step\ndistil: 2 iterations\ndistil: 2 iterations done in 1.0 s\n$/);
  });

  it('breaks long sentences on a terminal, and nowhere else', () => {
    const sentence = 'A sentence of a few words that is said again. '.repeat(4).trim();
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    voiceOf({}).say(sentence);
    expect(write).toHaveBeenLastCalledWith(`${sentence}\n`);
    vi.stubGlobal('process', { ...process, stdout: { isTTY: true, columns: 60, write } });
    voiceOf({}).say(sentence);
    vi.unstubAllGlobals();
    const lines = String(write.mock.lastCall![0]).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines.join(' ')).toBe(sentence);
  });

  it('leaves stdout to the JSON with --json', () => {
    const { stdout, stderr } = spoken({ json: true });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^answer\nremark\nstep\ndistil/);
  });

  it('says the answer alone with --quiet', () => {
    expect(spoken({ quiet: true })).toEqual({ stdout: 'answer\n', stderr: '' });
  });

  it('says nothing beside the JSON with both', () => {
    expect(spoken({ json: true, quiet: true })).toEqual({ stdout: '', stderr: '' });
  });
});
