import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InterruptedError } from '../../src/errors.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { type Progress, silentProgress } from '../../src/pipeline/progress.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { readEvents } from '../../src/pipeline/store/events.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { useDevice } from '../support/device.js';
import { folderContents } from '../support/folderContents.js';

const device = useDevice();

/** Longer stages than the preset's, with everything that a checkpoint has to hold. */
const SETS = [
  'teacher.steps=40',
  'distil.iterations=9',
  'distil.keep=best',
  'distil.snapshots=2',
  'distil.pixels.optimiser=adam',
  'distil.pixels.learningRate=0.01',
  'distil.startEpochsFrom=1',
];

/** A run of every stage that there is. */
const ALL_STAGES = [
  'data.train=100',
  'data.test=100',
  'subset.fraction=0.1',
  ...SETS,
  'evaluate.rows=[mkdt, trajectoryMatchingOnSsl, allData, teacher]',
  'evaluate.transfer=[{ architecture: mlp, depth: 1, width: 4 }]',
  'evaluate.seeds=1',
  'experts.epochs=2',
  'distil.startEpochs=1',
  'distil.startEpochsFrom=null',
  'distil.expertEpochs=2',
];

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-checkpoints-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface RunChoice {
  readonly sets?: readonly string[];
  readonly progress?: Partial<Progress>;
  readonly signal?: AbortSignal;
  readonly checkpointSeconds?: number;
  /** Told the name of every file before and after it is written. */
  readonly writing?: (name: string, moment: 'before' | 'after') => void;
}

async function run(name: string, choice: RunChoice = {}): Promise<void> {
  const { sets = SETS, progress = {}, signal, checkpointSeconds = 0, writing = () => {} } = choice;
  const config = resolveConfig({ preset: 'tiny-test', sets: [...sets], seed: 1 });
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(join(scratch, name));
  const write = folder.writeBytes.bind(folder);
  folder.writeBytes = async (file, bytes) => {
    writing(file, 'before');
    await write(file, bytes);
    writing(file, 'after');
  };
  try {
    await runPipeline({
      ...{ config, dataset, folder, checkpointSeconds },
      device: await device(),
      command: 'test',
      progress: { ...silentProgress, ...progress },
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    dataset.close();
    await folder.close();
  }
}

const contents = (name: string): Record<string, string> => folderContents(join(scratch, name));

/** Breaks a run off each time a stage has told so often how far it is; the step that is reached, at the last. */
async function breakOff(name: string, stage: string, at: number, how: 'stop' | 'crash'): Promise<number> {
  const controller = new AbortController();
  let told = 0;
  let reached = 0;
  const attempt = run(name, {
    signal: controller.signal,
    progress: {
      advanced(of, done) {
        if (of !== stage || ++told < at) return;
        reached = done;
        if (how === 'crash') throw new Error('a crash');
        controller.abort();
      },
    },
  });
  if (how === 'crash') await expect(attempt).rejects.toThrow('a crash');
  else await expect(attempt).rejects.toThrow(InterruptedError);
  return reached;
}

describe('a run that is broken off', () => {
  let undisturbed: Record<string, string>;
  beforeAll(async () => {
    await run('undisturbed', { checkpointSeconds: 1000 });
    undisturbed = contents('undisturbed');
  });

  it.each([
    ['teacher', 2, 'stop'],
    ['teacher', 3, 'crash'],
    ['experts', 2, 'stop'],
    ['distil', 5, 'stop'],
    ['distil', 7, 'crash'],
    ['evaluate', 3, 'stop'],
  ] as const)(
    'in the stage %s after %i steps by a %s ends with the bits of an undisturbed one',
    async (stage, at, how) => {
      const name = `${stage}-${at}-${how}`;
      await breakOff(name, stage, at, how);
      await run(name);
      expect(contents(name)).toEqual(undisturbed);
    },
  );

  it('again and again goes on each time, and says every event once', async () => {
    const reached = [];
    for (let k = 0; k < 3; k++) reached.push(await breakOff('again', 'distil', 2, 'stop'));
    expect(reached).toEqual([2, 4, 6]);
    // A snapshot that is gone is told before the rest is computed.
    const snapshot = join(scratch, 'again', 'snapshots', 'synthetic-000004.png');
    const picture = await readFile(snapshot);
    await rm(snapshot);
    const advanced = vi.fn();
    await expect(run('again', { progress: { advanced } })).rejects.toThrow(
      /synthetic-000004\.png is missing.*--force distil/,
    );
    expect(advanced).not.toHaveBeenCalled();
    await writeFile(snapshot, picture);
    await run('again');
    expect(contents('again')).toEqual(undisturbed);
    const events = await readEvents(join(scratch, 'again', 'events.jsonl'));
    const iterations = events.filter((event) => event.stage === 'distil').map((event) => event.iteration);
    expect(iterations).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('in the middle of every stage, at one checkpoint after the other, ends with the bits of an undisturbed one', async () => {
    await run('all', { sets: ALL_STAGES, checkpointSeconds: 1000 });
    // Odd numbers are before a checkpoint is written, even ones after it.
    const moments: Record<string, number[]> = {
      teacher: [4],
      targets: [3],
      experts: [4, 11],
      subset: [2],
      distil: [7],
      selfSupervisedExperts: [5, 12],
      selfSupervised: [4],
      evaluate: [3, 8, 15],
    };
    const seen: Record<string, number> = {};
    const kills: Record<string, number[]> = {};
    const writing = (file: string, moment: 'before' | 'after'): void => {
      const stage = /^checkpoint-(\w+)/.exec(file)?.[1];
      if (stage === undefined) return;
      seen[stage] = (seen[stage] ?? 0) + 1;
      if (!moments[stage]!.includes(seen[stage])) return;
      kills[stage] = [...(kills[stage] ?? []), seen[stage]];
      throw new Error(`killed ${moment} ${file} was written`);
    };
    const goOn = (): Promise<boolean> =>
      run('killed', { sets: ALL_STAGES, writing }).then(
        () => true,
        (error: Error) => {
          if (!error.message.startsWith('killed')) throw error;
          return false;
        },
      );
    while (!(await goOn()));
    expect(kills).toEqual(moments);
    expect(contents('killed')).toEqual(contents('all'));
  });

  it('begins its stage anew where other settings are asked for, or the checkpoint is damaged', async () => {
    await breakOff('other', 'distil', 5, 'stop');
    const begun: number[] = [];
    const sets = SETS.map((set) =>
      set.startsWith('distil.pixels.l') ? 'distil.pixels.learningRate=0.02' : set,
    );
    await expect(
      run('other', {
        sets,
        progress: {
          advanced(stage, done) {
            if (stage !== 'distil') return;
            begun.push(done);
            if (done === 2) throw new Error('enough');
          },
        },
      }),
    ).rejects.toThrow('enough');
    expect(begun).toEqual([1, 2]);

    await writeFile(join(scratch, 'other', 'checkpoint-distil.safetensors'), 'rubbish');
    await run('other');
    expect(contents('other')).toEqual(undisturbed);
  });

  it('begins its stage anew where the events that its checkpoint counts are gone', async () => {
    await breakOff('cut', 'distil', 5, 'stop');
    await rm(join(scratch, 'cut', 'events.jsonl'));
    const begun: number[] = [];
    const progress: Partial<Progress> = {
      advanced: (stage, done) => {
        if (stage === 'distil') begun.push(done);
      },
    };
    await run('cut', { progress });
    expect(begun[0]).toBe(1);
    const events = await readEvents(join(scratch, 'cut', 'events.jsonl'));
    expect(events.filter((event) => event.stage === 'distil')).toHaveLength(9);
  });

  it('evaluates anew where its checkpoint does not hold what the encoders gave, as those of earlier versions', async () => {
    await breakOff('earlier', 'evaluate', 3, 'stop');
    const file = join(scratch, 'earlier', 'checkpoint-evaluate.safetensors');
    const { tensors, metadata } = decodeSafetensors(await readFile(file), file);
    const others = new Map([...tensors].filter(([name]) => !name.startsWith('shown.')));
    expect(tensors.size - others.size).toBe(3);
    await writeFile(file, encodeSafetensors(others, metadata));
    await run('earlier');
    expect(contents('earlier')).toEqual(undisturbed);
  });

  it.each([
    ['teacher', 'theta'],
    ['distil', 'best.images'],
    ['distil', 'state'],
  ])('refuses a checkpoint of the stage %s that has no %s in words', async (stage, lacking) => {
    const name = `lacks-${stage}`;
    const file = join(scratch, name, `checkpoint-${stage}.safetensors`);
    await breakOff(name, stage, 1, 'stop');
    const { tensors, metadata } = decodeSafetensors(await readFile(file), file);
    tensors.delete(lacking);
    const state = lacking === 'state' ? '{}' : metadata.state!;
    await writeFile(file, encodeSafetensors(tensors, { ...metadata, state }));
    await expect(run(name)).rejects.toThrow(/checkpoint of this stage does not hold.*Delete checkpoint-\*/);
    await rm(file);
  });

  it('refuses a checkpoint of a newer version in words, and leaves it where it is', async () => {
    await breakOff('newer', 'distil', 2, 'stop');
    const file = join(scratch, 'newer', 'checkpoint-distil.safetensors');
    const { tensors, metadata } = decodeSafetensors(await readFile(file), file);
    await writeFile(file, encodeSafetensors(tensors, { ...metadata, version: '3' }));
    await expect(run('newer')).rejects.toThrow(/is of version 3, written by a newer hypergrad; .* or delete/);
    // One of the version before holds no seconds.
    const { seconds: _, files: __, ...old } = metadata;
    await writeFile(file, encodeSafetensors(tensors, { ...old, version: '1' }));
    expect(await breakOff('newer', 'distil', 1, 'stop')).toBe(3);
  });

  it('says what to do', async () => {
    const signal = AbortSignal.abort();
    await expect(run('told', { signal })).rejects.toThrow(
      /Stopped in the stage teacher, as asked.*same command again/,
    );
    await expect(run('told', { signal })).rejects.toMatchObject({ exitCode: 130 });
  });
});
