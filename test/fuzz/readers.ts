/** Every reader of files from outside, with how its files are made. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError } from '../../src/errors.js';
import { readRun } from '../../src/pipeline/compare/readRun.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { parseIdx, readIdx } from '../../src/pipeline/data/idx.js';
import { decodeImage } from '../../src/pipeline/data/imageFiles.js';
import { inspectData } from '../../src/pipeline/data/inspect.js';
import { decodeSet } from '../../src/pipeline/evaluate/givenSet.js';
import { decodeEvaluation } from '../../src/pipeline/evaluate/record.js';
import { readRepresentations } from '../../src/pipeline/evaluate/representations.js';
import { decodeShare } from '../../src/pipeline/evaluate/shares.js';
import { summariseTable, summariseTransfer } from '../../src/pipeline/evaluate/summary.js';
import { project } from '../../src/pipeline/report/projection.js';
import { readReport } from '../../src/pipeline/report/readReport.js';
import { readEvents } from '../../src/pipeline/store/events.js';
import { decodeNpy } from '../../src/pipeline/store/npy.js';
import { openToRead } from '../../src/pipeline/store/readFolder.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { TensorReader } from '../../src/pipeline/store/tensorReader.js';
import { readResult } from '../../src/pipeline/sweep/jobFolder.js';
import { plannedRuns } from '../../src/pipeline/sweep/members.js';
import { parseSweep } from '../../src/pipeline/sweep/schema.js';
import { slurmFolder } from '../../src/pipeline/sweep/slurm/slurmFolder.js';
import { parseHistory, parseQueue } from '../../src/pipeline/sweep/slurm/tasks.js';
import { sweepStatus } from '../../src/pipeline/sweep/status.js';
import { readGraph } from '../../src/pipeline/sweep/sweepFolder.js';
import { parseRecord } from '../../src/pipeline/tune/record.js';
import { parseCase } from '../../src/pipeline/verify/case.js';
import type { Draws } from './draws.js';
import type { Files } from './folders.js';
import * as folders from './folders.js';
import * as formats from './formats.js';
import { encode, mutate } from './mutate.js';
import * as reading from './reading.js';

export interface Reader {
  readonly name: string;
  /** Its share of the inputs, beside the others'. */
  readonly weight: number;
  /** Whether the files must lie in a folder to be read. */
  readonly onDisk: boolean;
  make(draws: Draws): Files;
  /** Reads the files, of which those on disk lie in `folder`. */
  read(files: Files, folder: string): unknown;
}

const FILE = 'input';

/** A reader of one file's bytes. */
const inMemory = (
  name: string,
  weight: number,
  make: (draws: Draws) => Uint8Array,
  read: (bytes: Uint8Array) => unknown,
): Reader => ({
  name,
  weight,
  onDisk: false,
  make: (draws) => ({ [FILE]: mutate(make(draws), draws) }),
  read: (files) => read(files[FILE]!),
});

/** A reader of a folder, of whose files one is damaged, and each other one with a chance of `others`. */
const onDisk = (
  name: string,
  weight: number,
  make: (draws: Draws) => Files,
  read: (folder: string) => Promise<unknown>,
  others = 0.15,
): Reader => ({
  name,
  weight,
  onDisk: true,
  make(draws) {
    const files = Object.entries(make(draws));
    const damaged = draws.below(files.length);
    return Object.fromEntries(
      files.map(([file, bytes], k) => [
        file,
        k === damaged || draws.happens(others) ? mutate(bytes, draws) : bytes,
      ]),
    );
  },
  read: (_, folder) => read(folder),
});

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const FORM = { channels: 3, resize: { side: 8, rule: 'cover' } } as const;

export const readers: readonly Reader[] = [
  inMemory('safetensors', 180, formats.safetensors, (bytes) =>
    decodeSafetensors(bytes, FILE, { widen: true }),
  ),
  inMemory('synthetic set', 80, formats.givenSet, (bytes) => decodeSet(bytes, FILE)),
  inMemory('reference case', 60, formats.referenceCase, (bytes) => parseCase(bytes, FILE)),
  inMemory('npy', 150, formats.npy, (bytes) => decodeNpy(bytes, FILE)),
  inMemory(
    'idx',
    100,
    (draws) => formats.idxFile(draws, 3),
    (bytes) => parseIdx(bytes, FILE, 3),
  ),
  inMemory('evaluation.json', 80, formats.evaluation, (bytes) => {
    const evaluation = decodeEvaluation(text(bytes), FILE);
    summariseTable(evaluation);
    summariseTransfer(evaluation);
  }),
  inMemory('tuning', 70, folders.tuningRecord, (bytes) => {
    const parsed = parseRecord(text(bytes), folders.adapter);
    if ('fault' in parsed) throw new DataError(`${FILE} is ignored: ${parsed.fault}.`);
  }),
  inMemory(
    '--set',
    60,
    (draws) => encode(draws.pick(['distil.steps=5', 'evaluate.labels=[0.1, 0.2]', 'data.folder=a: b'])),
    (bytes) => resolveConfig({ preset: 'tiny-test', sets: [text(bytes)] }),
  ),
  // Lines of another form are no fault: SLURM's commands print some beside the tasks.
  ...(
    [
      ['squeue', formats.queue, parseQueue],
      ['sacct', formats.accounts, parseHistory],
    ] as const
  ).map(([program, make, parse]) =>
    inMemory(program, 30, make, (bytes) => {
      if (parse(text(bytes)).length === 0) throw new DataError(`${program} printed no task.`);
    }),
  ),
  onDisk(
    'slurm folder',
    8,
    (draws) => ({
      'slurm/name': encode('0badcafe\n'),
      'slurm/expert-0123456789ab.jobs': encode(`${folders.hash(draws).slice(0, 20)}\n`),
      'slurm/submitted/expert-0123456789ab.12': encode(''),
    }),
    async (folder) => {
      const slurm = slurmFolder(folder);
      await slurm.sweepName();
      await slurm.readArrays();
      await slurm.readSubmissions();
    },
  ),
  onDisk(
    'configuration',
    70,
    (draws) => ({ 'config.yaml': formats.configuration(draws) }),
    async (folder) => resolveConfig({ file: join(folder, 'config.yaml'), sets: [] }),
  ),
  inMemory('sweep', 30, formats.sweep, (bytes) => {
    const file = parseSweep(text(bytes), FILE);
    if (file !== null) plannedRuns({ file, path: FILE });
  }),
  onDisk('sweep folder', 20, folders.sweepFolder, async (folder) => {
    const graph = await readGraph(folder);
    const { jobs } = await sweepStatus(folder, graph);
    for (const { job, state } of jobs) if (state === 'done') await readResult(folder, job);
  }),
  onDisk(
    'tensor reader',
    30,
    (draws) => ({ [FILE]: formats.givenSet(draws) }),
    async (folder) => {
      const reader = await TensorReader.open(join(folder, FILE));
      await reader.readRows('images', 0, 1);
    },
  ),
  onDisk(
    'events.jsonl',
    30,
    (draws) => ({ [FILE]: formats.events(draws) }),
    (folder) => readEvents(join(folder, FILE)),
  ),
  onDisk(
    'gzipped idx',
    50,
    (draws) => {
      const inner = formats.idxFile(draws, 3);
      return { [FILE]: gzipSync(draws.happens(0.5) ? mutate(inner, draws) : inner) };
    },
    (folder) => readIdx(join(folder, FILE), 3),
  ),
  onDisk(
    'png',
    30,
    (draws) => ({ [FILE]: formats.png(draws) }),
    (folder) => decodeImage(join(folder, FILE), FORM),
  ),
  onDisk(
    'jpeg',
    12,
    (draws) => ({ [FILE]: formats.jpeg(draws) }),
    (folder) => decodeImage(join(folder, FILE), FORM),
  ),
  onDisk(
    'run folder',
    8,
    (draws) => ({
      'evaluation.json': formats.evaluation(draws, 5),
      'result.json': formats.result(),
      'config.yaml': formats.configuration(draws),
    }),
    readRun,
  ),
  onDisk(
    'representations',
    30,
    (draws) => ({ 'representations.safetensors': formats.representations(draws) }),
    async (folder) => await project(await readRepresentations(openToRead(folder))),
  ),
  onDisk('report', 8, folders.finishedRun, async (folder) => {
    const { representations } = await readReport(openToRead(folder));
    if (representations !== null) await project(representations);
  }),
  onDisk('checked run', 12, folders.checkedRun, reading.requireWhole, 0.02),
  onDisk('watched run', 12, folders.watchedRun, reading.lookTwice),
  onDisk(
    'checkpoint',
    12,
    (draws) => {
      const results = [{ accuracies: [0.5], error: 0.1 }];
      const tensors = { theta: formats.float(draws, 3), momentum: formats.float(draws, 3) };
      const state = { results, place: draws.happens(0.5) ? null : { epoch: 1, step: 1 } };
      return {
        'checkpoint-evaluate.safetensors': folders.checkpoint(
          draws,
          reading.CHECKPOINT_INPUTS,
          state,
          tensors,
        ),
        'timings.json': encode('{"teacher":1.5,"experts/000":2}'),
      };
    },
    reading.resume,
  ),
  inMemory('share', 30, folders.share, (bytes) => decodeShare(text(bytes), FILE)),
  onDisk('costs.json', 12, (draws) => folders.costs(draws, reading.COSTS_OF), reading.readCosts),
  onDisk(
    'given targets',
    30,
    (draws) => ({
      'given.safetensors': encodeSafetensors(
        new Map([
          ['train', formats.float(draws, 3, 2)],
          ['test', formats.float(draws, 2, 2)],
        ]),
      ),
    }),
    (folder) => reading.readGiven(join(folder, 'given.safetensors')),
  ),
  onDisk(
    'given arrays',
    20,
    (draws) => ({ 'train.npy': formats.npy(draws, [3, 2]), 'test.npy': formats.npy(draws, [2, 2]) }),
    (folder) => reading.readGiven([join(folder, 'train.npy'), join(folder, 'test.npy')]),
  ),
  onDisk(
    'manifest.json',
    5,
    (draws) => ({ 'manifest.json': folders.manifest(draws) }),
    async (folder) => {
      const opened = await RunFolder.open(folder);
      try {
        await opened.stageIsDone('teacher', '0'.repeat(64));
      } finally {
        await opened.close();
      }
    },
  ),
  onDisk(
    'cifar folder',
    8,
    (draws) => ({
      'data_batch_1.bin': formats.cifarRecords(draws),
      'test_batch.bin': formats.cifarRecords(draws),
    }),
    (folder) => reading.loadAll('cifar10', folder),
  ),
  onDisk(
    'cifar100 folder',
    8,
    (draws) => ({
      'train.bin': formats.cifarRecords(draws, 2),
      'test.bin': formats.cifarRecords(draws, 2),
    }),
    (folder) => reading.loadAll('cifar100', folder),
  ),
  onDisk('mnist folder', 8, folders.mnist, (folder) => reading.loadAll('mnist', folder)),
  onDisk(
    'idx folder',
    8,
    (draws) => ({ images: formats.idxFile(draws, 3), labels: gzipSync(formats.idxFile(draws, 1)) }),
    (folder) => inspectData(folder),
  ),
  onDisk(
    'image folder',
    8,
    (draws) =>
      folders.images(
        draws,
        draws.pick([
          ['a.png', 'b.png'],
          ['a/1.png', 'b/2.png'],
          ['train/a/1.png', 'test/a/1.png'],
        ]),
      ),
    (folder) => inspectData(folder),
  ),
  onDisk(
    'tiny imagenet',
    8,
    (draws) => ({
      'wnids.txt': encode('n01\nn02\n'),
      'words.txt': encode('n01\tgoldfish\nn02\tmaillot, tank suit\n'),
      'val/val_annotations.txt': encode('v.JPEG\tn01\t0\n'),
      ...folders.images(draws, ['train/n01/images/a.JPEG', 'train/n02/images/b.JPEG', 'val/images/v.JPEG']),
    }),
    (folder) => reading.loadAll('tiny-imagenet', folder),
  ),
];
