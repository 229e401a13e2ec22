import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenForInterruption, stoppable } from '../../src/cli/interruption.js';
import { createProgram } from '../../src/cli/program.js';
import { InterruptedError } from '../../src/errors.js';
import { decodeEvaluation } from '../../src/pipeline/evaluate/record.js';

const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

/** What is written on stderr, and what comes of each piece of it. */
let onStderr: (text: string) => void = () => {};
let said = '';
beforeEach(() => {
  onStderr = () => {};
  said = '';
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    onStderr(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('work that can be stopped', () => {
  it('is told once, leaves at the second signal, and listens no longer than it takes', async () => {
    const before = listeners();
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never);
    const result = await stoppable(async (signal) => {
      expect(listeners()).toBe(before + 2);
      expect(signal.aborted).toBe(false);
      process.emit('SIGINT');
      expect(signal.aborted).toBe(true);
      expect(exit).not.toHaveBeenCalled();
      process.emit('SIGTERM');
      expect(exit).toHaveBeenCalledExactlyOnceWith(130);
      return 'done';
    }, 'Ending soon.');
    expect([result, said, listeners()]).toEqual(['done', 'Ending soon. Again to leave at once.\n', before]);
    await expect(stoppable(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(listeners()).toBe(before);
  });

  it('says that it keeps what is done where nothing else is said', () => {
    const told: string[] = [];
    const { release } = listenForInterruption((text) => told.push(text));
    process.emit('SIGINT');
    release();
    expect(told).toEqual(['Stopping after this step, and keeping what is done. Again to leave at once.']);
  });
});

describe('Ctrl-C', () => {
  let scratch = '';
  const run = () => join(scratch, 'run');
  const hypergrad = (...args: string[]) => createProgram().parseAsync(args, { from: 'user' });
  const checkpoints = (folder: string) =>
    readdirSync(folder).filter((name) => name.startsWith('checkpoint-'));
  /** Sends the signal when such a line appears. */
  const stopAt = (line: RegExp): void => {
    onStderr = (text) => {
      if (!line.test(text)) return;
      onStderr = () => {};
      process.emit('SIGINT');
    };
  };

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'hypergrad-interruption-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('ends a run after its step, and the next one goes on', async () => {
    stopAt(/^distil: 4 iterations/);
    const args = ['run', '--preset', 'tiny-test', '--out', run()];
    const error: unknown = await hypergrad(...args).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as Error).message).toMatch(
      /Stopped in the stage distil, as asked.*same command again to go on/,
    );
    expect(checkpoints(run())).toEqual(['checkpoint-distil.safetensors']);
    await hypergrad(...args);
    expect(checkpoints(run())).toEqual([]);
    expect(process.stdout.write).toHaveBeenCalledWith(
      expect.stringContaining('distil: goes on after 1 of 4 iterations (checkpoint)'),
    );
  });

  it("ends an evaluation of a run's set, which goes on to what the run measured", async () => {
    stopAt(/^evaluate: 12 encoders/);
    await expect(hypergrad('evaluate', run())).rejects.toThrow(/same command again to go on/);
    expect(checkpoints(run())).toEqual(['checkpoint-evaluation.safetensors']);
    await hypergrad('evaluate', run());
    expect(checkpoints(run())).toEqual([]);
    const [written] = readdirSync(run()).filter((name) => /^evaluation-mnist-/.test(name));
    const evaluationIn = async (name: string) =>
      decodeEvaluation(await readFile(join(run(), name), 'utf8'), name);
    expect(await evaluationIn(written!)).toEqual(await evaluationIn('evaluation.json'));
  });

  it('ends the evaluation of a file, of which nothing is kept', async () => {
    stopAt(/^evaluate: \d+ encoders/);
    const set = join(run(), 'synthetic.safetensors');
    await expect(hypergrad('evaluate', set, '--teacher', run())).rejects.toThrow(/Nothing is kept of it/);
  });

  it('ends a study, which begins anew behind the stages that are kept', async () => {
    const out = join(scratch, 'study');
    const args = [
      'study',
      'variance',
      '--preset',
      'tiny-test',
      '--batch-sizes',
      '4',
      '--batches',
      '3',
      '--out',
      out,
    ];
    stopAt(/^variance: \d+ gradients/);
    await expect(hypergrad(...args)).rejects.toThrow(/Stopped in the stage variance.*begins anew/);
    expect(existsSync(join(out, 'targets.safetensors'))).toBe(true);
    expect(existsSync(join(out, 'study.json'))).toBe(false);
  });

  it('ends a tuning after a measurement, and keeps none', async () => {
    stopAt(/^measuring /);
    await expect(hypergrad('tune', '--preset', 'tiny-test', '--rounds', '1', '--dry-run')).rejects.toThrow(
      /Stopped, as asked\. Nothing is kept/,
    );
    expect(said).toContain('Stopping after this measurement. Again to leave at once.');
  });
});
