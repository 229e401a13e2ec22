import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { chooseSubset, trainExperts } from '../../../src/pipeline/stages/experts.js';
import { computeTargets } from '../../../src/pipeline/stages/targets.js';
import { trainTeacher } from '../../../src/pipeline/stages/teacher.js';
import { requireSpace, Trajectories, trajectoryBytes } from '../../../src/pipeline/stages/trajectories.js';
import { readEvents } from '../../../src/pipeline/store/events.js';
import { useDevice } from '../../support/device.js';
import { eventsOf, inTinyFolder, type TinyContext, tensorsOf } from '../../support/tinyStages.js';

const device = useDevice();
let scratch = '';
let three: Trained;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-experts-'));
  await inTinyFolder(await device(), join(scratch, 'base'), [], async (context) => {
    for (const stage of [trainTeacher, computeTargets]) await stage(context);
  });
  three = await train('three', count(3));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const count = (experts: number): string[] => [`experts.count=${experts}`];
const fileOf = (expert: number): string => `experts/expert-00${expert}.safetensors`;

/** Which experts' epochs were told to the listener while experts were trained anew in a folder. */
interface Trained {
  readonly trained: number[];
  readonly events: unknown[];
  readonly files: Buffer[];
}

/** Trains in a folder that holds the targets, or more. `stopAfter` so many epochs the run is broken off. */
async function train(name: string, sets: string[], stopAfter = Number.POSITIVE_INFINITY): Promise<Trained> {
  const path = join(scratch, name);
  await cp(join(scratch, 'base'), path, { recursive: true, force: false });
  return await inTinyFolder(await device(), path, sets, async (context) => {
    const trained = new Set<number>();
    let epochs = 0;
    const listening: TinyContext = {
      ...context,
      advance(done) {
        // Experts that are there already advance by all their epochs at once.
        if (done === epochs + 1) trained.add(Math.floor(epochs / context.config.experts.epochs));
        epochs = done;
        if (done >= stopAfter) throw new Error('broken off');
      },
    };
    await context.events.truncateStage('experts');
    const written = await trainExperts(listening);
    const events = await eventsOf(context, 'experts');
    const files = await Promise.all(written.map((file) => readFile(join(path, file))));
    return { trained: [...trained], events, files };
  });
}

describe('experts', () => {
  it('are trained when they are not there, and not again', async () => {
    expect(three.trained).toEqual([0, 1, 2]);
    expect(await train('three', count(3))).toEqual({ ...three, trained: [] });
  });

  it('that are added later are trained alone, and everything is as if all had been trained at once', async () => {
    await train('grown', count(1));
    expect(await train('grown', count(3))).toEqual({ ...three, trained: [1, 2] });
  });

  it('that are not wanted any more stay for when they are', async () => {
    await train('shrunk', count(3));
    expect((await train('shrunk', count(2))).trained).toEqual([]);
    expect(await train('shrunk', count(3))).toEqual({ ...three, trained: [] });
  });

  it('go on after a run that was broken off with those that were finished', async () => {
    await expect(train('broken', count(3), 5)).rejects.toThrow('broken off');
    expect(await train('broken', count(3))).toEqual({ ...three, trained: [1, 2] });
  });

  it('are all trained anew with another setting, and the ones whose file was changed', async () => {
    const other = await train('changed', count(3));
    expect(other.files).toEqual(three.files);
    const bytes = await readFile(join(scratch, 'changed', fileOf(1)));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(join(scratch, 'changed', fileOf(1)), bytes);
    expect(await train('changed', count(3))).toEqual({ ...three, trained: [1] });
    const slower = await train('changed', [...count(3), 'experts.learningRate=0.05']);
    expect(slower.trained).toEqual([0, 1, 2]);
    expect(slower.files[0]).not.toEqual(three.files[0]);
  });

  it('tell the loss of every epoch, and their files hold it', async () => {
    await inTinyFolder(await device(), join(scratch, 'three'), count(3), async (context) => {
      const events = await readEvents(join(scratch, 'three', 'events.jsonl'));
      for (const expert of [0, 1, 2]) {
        const mine = events.filter((event) => event.stage === 'experts' && event.expert === expert);
        expect(mine.map((event) => event.epoch)).toEqual([1, 2, 3]);
        const { tensors } = await tensorsOf(context, fileOf(expert));
        expect([...tensors.get('losses')!.data]).toEqual(mine.map((event) => event.loss));
      }
    });
  });

  it('are read a checkpoint at a time, and no other one is in memory', async () => {
    await inTinyFolder(await device(), join(scratch, 'three'), count(3), async (context) => {
      const trajectories = new Trajectories(context);
      const { data, shape } = (await tensorsOf(context, fileOf(1))).tensors.get('trajectory')!;
      const parameters = shape[1]!;
      for (const epoch of [3, 0, 2]) {
        const theta = await trajectories.checkpoint(1, epoch);
        expect(theta).toEqual(data.slice(epoch * parameters, (epoch + 1) * parameters));
        expect(theta.buffer.byteLength).toBe(4 * parameters);
      }
      await expect(trajectories.checkpoint(1, 4)).rejects.toThrow(/rows 4 to 4/);
      await expect(trajectories.checkpoint(5, 0)).rejects.toThrow(StoreError);
    });
  });

  it('of another length or another student are not read', async () => {
    await inTinyFolder(await device(), join(scratch, 'three'), ['experts.epochs=4'], async (context) => {
      await expect(new Trajectories(context).checkpoint(0, 0)).rejects.toThrow(/holds no trajectory/);
    });
  });

  it('choose the subset by their first epochs, whichever are read first', async () => {
    await train('grown later', count(1));
    await train('grown later', count(3));
    const subsets: Buffer[] = [];
    for (const name of ['three', 'grown later']) {
      await inTinyFolder(await device(), join(scratch, name), count(3), async (context) => {
        const read = vi.spyOn(Trajectories.prototype, 'checkpoint');
        await chooseSubset(context);
        expect(read.mock.calls).toEqual([
          [0, 1],
          [1, 1],
          [2, 1],
        ]);
        read.mockRestore();
        subsets.push(await readFile(join(scratch, name, 'subset.safetensors')));
      });
    }
    expect(subsets[0]).toEqual(subsets[1]);
  });
});

describe('the space for the trajectories', () => {
  /** Of the preset's student, each tensor of it at a multiple of what the device asks for. */
  const parameters = 640;

  it('is one θ for the start and each epoch', async () => {
    expect(trajectoryBytes(20, 1_348_608)).toBe(113_283_072);
    await inTinyFolder(await device(), join(scratch, 'three'), count(3), async (context) => {
      const { shape, data } = (await tensorsOf(context, fileOf(0))).tensors.get('trajectory')!;
      expect(shape).toEqual([4, parameters]);
      expect(data.byteLength).toBe(trajectoryBytes(3, parameters));
    });
  });

  it('is asked for before anything is trained, and both sizes are told where it is not there', async () => {
    const path = join(scratch, 'full');
    await cp(join(scratch, 'base'), path, { recursive: true });
    await inTinyFolder(await device(), path, count(5), async (context) => {
      const advance = vi.fn();
      vi.spyOn(context.folder, 'freeBytes').mockResolvedValue(10_000);
      const attempt = trainExperts({ ...context, advance });
      await expect(attempt).rejects.toThrow(StoreError);
      await expect(attempt).rejects.toThrow(/5 experts need 50 KiB more .*, and 9\.77 KiB are free/);
      expect(advance).not.toHaveBeenCalled();
    });
  });

  it('is asked for what is not there yet alone', async () => {
    await inTinyFolder(await device(), join(scratch, 'three'), count(4), async (context) => {
      const free = vi.spyOn(context.folder, 'freeBytes');
      free.mockResolvedValue(trajectoryBytes(3, parameters));
      await expect(requireSpace(context)).resolves.toBeUndefined();
      free.mockResolvedValue(trajectoryBytes(3, parameters) - 1);
      await expect(requireSpace(context)).rejects.toThrow(StoreError);
      free.mockResolvedValue(null);
      await expect(requireSpace(context)).resolves.toBeUndefined();
    });
  });

  it('counts the experts of the self-supervised baseline where a row asks for it', async () => {
    const sets = [...count(3), 'evaluate.rows=[mkdt, trajectoryMatchingOnSsl]'];
    await inTinyFolder(await device(), join(scratch, 'three'), sets, async (context) => {
      vi.spyOn(context.folder, 'freeBytes').mockResolvedValue(trajectoryBytes(3, parameters));
      await expect(requireSpace(context)).rejects.toThrow(
        /trajectories of 5 experts .*experts\.epochs, or those of selfSupervised\.experts/,
      );
    });
  });
});
