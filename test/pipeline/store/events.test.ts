import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { diskOver } from '../../../src/pipeline/store/disk.js';
import { EventLog, readEvents } from '../../../src/pipeline/store/events.js';
import { nodeFileSystem } from '../../../src/pipeline/store/fileSystem.js';
import { type FaultySystem, faultySystem } from '../../support/faultySystem.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypergrad-events-'));
  path = join(folder, 'events.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const event = (stage: string, iteration: number) => ({ stage, iteration });

async function written(...events: { stage: string }[]): Promise<EventLog> {
  const log = new EventLog(path);
  for (const one of events) log.append(one);
  await log.flush();
  return log;
}

describe('EventLog', () => {
  it('writes one JSON object a line, in order, and goes on in a later process', async () => {
    await (await written(event('teacher', 0), event('teacher', 1))).flush();
    await (await written(event('distil', 0))).flush();
    expect(await readFile(path, 'utf8')).toBe(
      '{"stage":"teacher","iteration":0}\n{"stage":"teacher","iteration":1}\n{"stage":"distil","iteration":0}\n',
    );
    expect(await readEvents(path)).toEqual([event('teacher', 0), event('teacher', 1), event('distil', 0)]);
  });

  it('puts stages into their order again, and appends behind them', async () => {
    const log = await written(
      event('distil', 0),
      event('horizon', 0),
      event('teacher', 1),
      event('teacher', 0),
    );
    const order = ['teacher', 'experts', 'distil'];
    await log.arrange(order);
    const arranged = [event('teacher', 1), event('teacher', 0), event('distil', 0), event('horizon', 0)];
    expect(await readEvents(path)).toEqual(arranged);
    log.append(event('experts', 0));
    await log.flush();
    expect(await readEvents(path)).toEqual([...arranged, event('experts', 0)]);
    await log.arrange(order);
    const text = await readFile(path, 'utf8');
    await log.arrange(order);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect((await readEvents(path)).map(({ stage }) => stage)).toEqual([
      'teacher',
      'teacher',
      'experts',
      'distil',
      'horizon',
    ]);
  });

  it('keeps the order of overlapping flushes, and writes each event once', async () => {
    const log = new EventLog(path);
    const flushes = Array.from({ length: 20 }, (_, iteration) => {
      log.append(event('distil', iteration));
      return log.flush();
    });
    await Promise.all(flushes);
    expect((await readEvents(path)).map((one) => one.iteration)).toEqual([...Array(20).keys()]);
  });

  it('loses no event that is taken while others are being written', async () => {
    const log = new EventLog(path);
    log.append(event('distil', 0));
    let isWriting = true;
    const writing = log.flush().then(() => {
      isWriting = false;
    });
    let taken = 1;
    while (isWriting) {
      log.append(event('distil', taken++));
      await new Promise(setImmediate);
    }
    await writing;
    await log.flush();
    expect((await readEvents(path)).map((one) => one.iteration)).toEqual([...Array(taken).keys()]);
  });

  it("removes a stage's events, written or not, before it is run again", async () => {
    const log = await written(event('teacher', 0), event('distil', 0), event('evaluate', 0));
    log.append(event('distil', 1));
    await log.truncateStage('distil');
    log.append(event('distil', 0));
    await log.flush();
    expect(await readEvents(path)).toEqual([event('teacher', 0), event('evaluate', 0), event('distil', 0)]);
  });

  it('spares the events that a resumed stage keeps', async () => {
    const log = await written(...[0, 1, 2, 3].map((iteration) => event('distil', iteration)));
    await log.truncateStage('distil', (one) => (one.iteration as number) < 2);
    expect((await readEvents(path)).map((one) => one.iteration)).toEqual([0, 1]);
  });

  it('does not continue a line that a kill cut short', async () => {
    await writeFile(path, '{"stage":"teacher","iteration":0}\n{"stage":"tea');
    await (await written(event('teacher', 1))).flush();
    expect(await readEvents(path)).toEqual([event('teacher', 0), event('teacher', 1)]);
  });

  it('drops a cut line when a stage is truncated, whatever it was of', async () => {
    await writeFile(path, '{"stage":"teacher","iteration":0}\n{"stage":"dis');
    const log = new EventLog(path);
    await log.truncateStage('distil');
    log.append(event('distil', 0));
    await log.flush();
    expect(await readEvents(path)).toEqual([event('teacher', 0), event('distil', 0)]);
  });

  it('takes a missing file as no events', async () => {
    expect(await readEvents(path)).toEqual([]);
    await new EventLog(path).truncateStage('distil');
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });

  it('names the line that is not an event', async () => {
    await writeFile(path, '{"stage":"teacher"}\nnoise\n');
    await expect(readEvents(path)).rejects.toThrow(/line 2: not JSON/);
    await writeFile(path, '{"iteration":1}\n');
    await expect(new EventLog(path).truncateStage('x')).rejects.toThrow(/line 1: not an event/);
  });

  it('writes each event once, whichever call of an earlier flush failed, and though a part of it was on the disk', async () => {
    const first = event('teacher', 0);
    const more = [1, 2, 3].map((iteration) => event('teacher', iteration));
    const attempt = async (system: FaultySystem): Promise<unknown> => {
      await rm(path, { force: true });
      await written(first);
      const log = new EventLog(path, diskOver(system));
      for (const one of more) log.append(one);
      const error = await log.flush().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      log.append(event('teacher', 4));
      await log.flush().catch(() => log.flush());
      expect(await readEvents(path)).toEqual([first, ...more, event('teacher', 4)]);
      return error;
    };
    const counting = faultySystem(nodeFileSystem);
    await attempt(counting);
    const perFlush = counting.calls.length / 2;
    for (let at = 0; at < perFlush; at++) {
      for (const fault of ['ENOSPC', 'EIO', 'short'] as const) {
        const error = await attempt(faultySystem(nodeFileSystem, { at, fault }));
        expect((error as Error).message, `${at} ${fault}`).toContain(`${path} cannot be written`);
      }
    }
  });

  it('says which file cannot be written, and keeps the events for another try', async () => {
    await writeFile(join(folder, 'file'), '');
    const log = new EventLog(join(folder, 'file', 'events.jsonl'));
    log.append(event('teacher', 0));
    await expect(log.flush()).rejects.toThrow(StoreError);
    await expect(log.flush()).rejects.toThrow(/events\.jsonl cannot be written/);
  });
});
