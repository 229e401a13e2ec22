import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { hashInputs } from '../../../src/pipeline/store/manifest.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';

let root: string;
let path: string;
let open: RunFolder[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hypergrad-run-'));
  path = join(root, 'runs', 'one');
});
afterEach(async () => {
  await Promise.all(open.map((folder) => folder.close()));
  open = [];
  await rm(root, { recursive: true });
});

async function opened(): Promise<RunFolder> {
  const folder = await RunFolder.open(path);
  open.push(folder);
  return folder;
}

async function failure(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StoreError);
  return (error as StoreError).message;
}

describe('RunFolder files', () => {
  it('writes and reads bytes and texts, in sub-folders too', async () => {
    const folder = await opened();
    await folder.writeText('experts/0.json', 'héllo');
    expect(await folder.exists('experts/0.json')).toBe(true);
    expect(await folder.exists('experts/1.json')).toBe(false);
    expect(new TextDecoder().decode(await folder.readBytes('experts/0.json'))).toBe('héllo');
    await folder.writeBytes('view', Uint8Array.of(1, 2, 3).subarray(1));
    expect([...(await folder.readBytes('view'))]).toEqual([2, 3]);
  });

  it.each(['../outside', '/outside', '..', '.', '', 'a/../../outside'])(
    'refuses the name "%s"',
    async (name) => {
      const folder = await opened();
      expect(await failure(folder.writeText(name, 'x'))).toContain('is no name for a file');
    },
  );

  it('names a file that is missing or cannot be written', async () => {
    const folder = await opened();
    expect(await failure(folder.readBytes('none'))).toContain(`${join(path, 'none')} cannot be read`);
    await folder.writeText('file', 'x');
    expect(await failure(folder.writeText('file/below', 'x'))).toContain(
      'a file stands where a folder is needed',
    );
  });

  it('writes nothing once closed', async () => {
    const folder = await opened();
    await folder.close();
    await folder.close();
    expect(await failure(folder.writeText('late', 'x'))).toContain('is closed; nothing is written there');
  });

  it('removes what a killed process left half-written, and nothing else', async () => {
    await (await opened()).close();
    await writeFile(join(path, 'teacher.safetensors.1234567'), 'half');
    await writeFile(join(path, '.owner-5bce98f73f3e-29270.3091243266'), 'half');
    const others = ['notes.v2', 'train.log.1', 'job.out.12345', 'notes.txt.2'];
    for (const name of others) await writeFile(join(path, name), 'kept');
    await opened();
    const names = await readdir(path);
    expect(names).toEqual(expect.arrayContaining(others));
    expect(names).not.toContain('teacher.safetensors.1234567');
    expect(names).not.toContain('.owner-5bce98f73f3e-29270.3091243266');
  });

  it("removes nothing from a folder that was no run's", async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'library.so.1'), 'kept');
    await opened();
    expect(await readdir(path)).toContain('library.so.1');
  });
});

describe('RunFolder stages', () => {
  const inputs = hashInputs({ seed: 1 });

  it('is done only with the same inputs and unchanged artefacts', async () => {
    const folder = await opened();
    await folder.writeText('a.txt', 'a');
    await folder.writeText('b.txt', 'b');
    expect(await folder.stageIsDone('teacher', inputs)).toBe(false);
    await folder.recordStage('teacher', inputs, ['b.txt', 'a.txt']);
    expect(await folder.stageIsDone('teacher', inputs)).toBe(true);
    expect(await folder.stageIsDone('teacher', hashInputs({ seed: 2 }))).toBe(false);
    expect(await folder.stageIsDone('__proto__', inputs)).toBe(false);
    await folder.writeText('b.txt', 'B');
    expect(await folder.stageIsDone('teacher', inputs)).toBe(false);
    await folder.writeText('b.txt', 'b');
    expect(await folder.stageIsDone('teacher', inputs)).toBe(true);
    await rm(join(path, 'a.txt'));
    expect(await folder.stageIsDone('teacher', inputs)).toBe(false);
  });

  it('sees a file that was changed in place, though it has hashed it before', async () => {
    const folder = await opened();
    await folder.writeText('a.txt', 'a');
    const before = await folder.hashOf('a.txt');
    expect(await folder.hashOf('a.txt')).toBe(before);
    await writeFile(join(path, 'a.txt'), 'b');
    expect(await folder.hashOf('a.txt')).not.toBe(before);
    await rm(join(path, 'a.txt'));
    expect(await folder.hashOf('a.txt')).toBeNull();
  });

  it('forgets a stage alone, or with its parts', async () => {
    const folder = await opened();
    await folder.writeText('a.txt', 'a');
    for (const name of ['experts', 'experts/000', 'expertsToo/000']) {
      await folder.recordStage(name, inputs, ['a.txt']);
    }
    await folder.forgetStage('experts');
    expect(await folder.stageIsDone('experts', inputs)).toBe(false);
    expect(await folder.stageIsDone('experts/000', inputs)).toBe(true);
    await folder.forgetStage('experts', { parts: true });
    expect(await folder.stageIsDone('experts/000', inputs)).toBe(false);
    expect(await folder.stageIsDone('expertsToo/000', inputs)).toBe(true);
  });

  it('remembers stages when it is opened again', async () => {
    const folder = await opened();
    await folder.writeText('a.txt', 'a');
    await folder.recordStage('teacher', inputs, ['a.txt']);
    const hash = folder.artefactHash('teacher');
    await folder.close();
    const again = await opened();
    expect(await again.stageIsDone('teacher', inputs)).toBe(true);
    expect(again.artefactHash('teacher')).toBe(hash);
  });

  it('writes the same manifest whatever the order of files and stages', async () => {
    const manifests: string[] = [];
    for (const order of [
      ['teacher', 'experts'],
      ['experts', 'teacher'],
    ]) {
      path = join(root, order.join('-'));
      const folder = await opened();
      for (const stage of order) {
        await folder.writeText(`${stage}.txt`, stage);
        await folder.recordStage(stage, inputs, [`${stage}.txt`]);
      }
      manifests.push(await readFile(join(path, 'manifest.json'), 'utf8'));
    }
    expect(manifests[0]).toBe(manifests[1]);
    expect(JSON.parse(manifests[0]!).version).toBe(2);
  });

  it("hashes a stage's artefacts by name and content", async () => {
    const folder = await opened();
    const hashes: string[] = [];
    for (const [file, text] of [
      ['a', 'x'],
      ['a', 'y'],
      ['b', 'y'],
    ] as const) {
      await folder.writeText(file, text);
      await folder.recordStage('stage', inputs, [file]);
      hashes.push(folder.artefactHash('stage'));
    }
    expect(new Set(hashes).size).toBe(3);
    expect(() => folder.artefactHash('none')).toThrow(/holds no finished stage none/);
  });

  it('refuses to record a file that is not there', async () => {
    const folder = await opened();
    expect(await failure(folder.recordStage('teacher', inputs, ['none']))).toContain('none cannot be read');
    expect(await folder.stageIsDone('teacher', inputs)).toBe(false);
  });

  it('refuses a damaged manifest, and lets the lock go', async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'manifest.json'), '{');
    expect(await failure(RunFolder.open(path))).toContain('manifest.json is damaged');
    await rm(join(path, 'manifest.json'));
    await opened();
  });

  it('keeps what a stage read beside its hash, and adds it to what an earlier version left', async () => {
    const folder = await opened();
    await folder.writeText('a.txt', 'a');
    const reads = { seed: 1, config: { steps: 3 }, tuning: undefined };
    await folder.recordStage('teacher', inputs, ['a.txt'], reads);
    const written = await readFile(join(path, 'manifest.json'), 'utf8');
    await folder.close();
    expect(JSON.parse(written).stages.teacher.reads).toEqual({ seed: 1, config: { steps: 3 } });

    const { reads: _, ...record } = JSON.parse(written).stages.teacher;
    await writeFile(join(path, 'manifest.json'), JSON.stringify({ version: 1, stages: { teacher: record } }));
    const again = await opened();
    expect(await again.stageIsDone('teacher', inputs)).toBe(true);
    expect(again.recordOf('teacher')).toEqual(record);
    await again.completeRecord('teacher', reads);
    expect(await readFile(join(path, 'manifest.json'), 'utf8')).toBe(written);
    await again.completeRecord('teacher', { seed: 2 });
    expect(again.recordOf('teacher')!.reads).toEqual({ seed: 1, config: { steps: 3 } });
    await again.completeRecord('experts', reads);
    expect(again.recordOf('experts')).toBeUndefined();
  });
});

describe('RunFolder.open', () => {
  it('refuses a path that is a file, or lies below one', async () => {
    await writeFile(join(root, 'file'), '');
    for (const wrong of [join(root, 'file'), join(root, 'file', 'below')]) {
      const message = await failure(RunFolder.open(wrong));
      expect(message).toContain(`${wrong} cannot be created`);
      expect(message).toContain('--out DIR');
    }
  });

  it('refuses a second opening while the first lasts', async () => {
    const folder = await opened();
    expect(await failure(RunFolder.open(path))).toContain(`in use by process ${process.pid}`);
    await folder.close();
    await opened();
  });

  it('leaves no lock behind when closed', async () => {
    await (await opened()).close();
    expect(await readdir(path)).toEqual(['manifest.json']);
  });
});
