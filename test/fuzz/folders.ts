/** Folders as they should be, small: of runs, of sweeps, of images. */
import { version } from '../../package.json';
import { MANIFEST, sha256 } from '../../src/pipeline/store/manifest.js';
import { encodeSafetensors, type NamedTensor } from '../../src/pipeline/store/safetensors.js';
import { idx } from '../support/imageFiles.js';
import type { Draws } from './draws.js';
import * as formats from './formats.js';
import { encode } from './mutate.js';

/** Files by name, relative to a folder. */
export type Files = Readonly<Record<string, Uint8Array>>;

const json = (value: unknown): Uint8Array => encode(JSON.stringify(value));

export const hash = (draws: Draws): string => Buffer.from(draws.bytes(32)).toString('hex');

const RESULT = {
  ...{ version: 1, command: 'hypergrad run', dataset: 'mnist', seconds: { distil: 1 } },
  device: { name: 'Some GPU', kind: 'hardware', bundled: false },
};

/** All that the report of a finished run is read from. */
export function finishedRun(draws: Draws): Files {
  const [count, channels, side] = [1 + draws.below(3), draws.pick([1, 3]), 1 + draws.below(4)];
  const told = Array.from({ length: 1 + draws.below(4) }, (_, iteration) => [
    JSON.stringify({ stage: 'distil', iteration, loss: 1, innerStep: 0.1 }),
    JSON.stringify({ stage: 'experts', expert: 0, epoch: iteration + 1, loss: 1 }),
  ]);
  const each = (value: number): number[] => Array(channels).fill(value);
  return {
    'result.json': json(RESULT),
    'evaluation.json': formats.evaluation(draws, 2),
    'config.yaml': formats.configuration(draws),
    'standardisation.json': json({ version: 1, mean: each(0.1), deviation: each(0.3) }),
    'events.jsonl': encode(`${told.flat().join('\n')}\n`),
    'representations.safetensors': formats.representations(draws),
    'targets.safetensors': encodeSafetensors(new Map([['train', formats.float(draws, 3, 2)]]), {}),
    'synthetic.safetensors': encodeSafetensors(
      new Map([
        ['images', formats.float(draws, count, channels, side, side)],
        ['start.images', formats.float(draws, count, channels, side, side)],
        ['innerStep', formats.float(draws, 1)],
      ]),
      {},
    ),
  };
}

/** A checkpoint of a stage, from inputs of this name. */
export function checkpoint(
  draws: Draws,
  inputs: string,
  state: unknown,
  tensors: Readonly<Record<string, NamedTensor>>,
): Uint8Array {
  const metadata = {
    version: '2',
    inputs,
    done: String(draws.below(9)),
    events: '0',
    seconds: '1.5',
    files: '{}',
  };
  return encodeSafetensors(new Map(Object.entries(tensors)), { ...metadata, state: JSON.stringify(state) });
}

/** 20 images of 3×3 pixels, 10 of them distilled in 4 iterations. */
const CONFIG = 'preset: tiny-test\ndata: { train: 20, test: 4 }\nsubset: { fraction: 0.5 }\n';
const [TRAIN, TEST, COUNT, DIMENSION, ITERATIONS] = [20, 4, 10, 2, 4];

/** A run that `hypergrad check` finds whole, though its teacher and experts are not there. */
export function checkedRun(draws: Draws): Files {
  const of = (tensors: Readonly<Record<string, NamedTensor>>): Uint8Array =>
    encodeSafetensors(new Map(Object.entries(tensors)), { version: '1' });
  const indices = {
    dtype: 'I32',
    shape: [COUNT],
    data: Int32Array.from({ length: COUNT }, (_, k) => k),
  } as const;
  const pictures = (): NamedTensor => formats.float(draws, COUNT, 1, 3, 3);
  const stages = {
    targets: {
      'targets.safetensors': of({
        train: formats.float(draws, TRAIN, DIMENSION),
        test: formats.float(draws, TEST, DIMENSION),
      }),
    },
    subset: { 'subset.safetensors': of({ indices, losses: formats.float(draws, TRAIN) }) },
    distil: {
      'synthetic.safetensors': of({
        ...{ images: pictures(), 'start.images': pictures(), innerStep: formats.float(draws, 1) },
        targets: formats.float(draws, COUNT, DIMENSION),
        'start.targets': formats.float(draws, COUNT, DIMENSION),
      }),
      'images.png': formats.png(draws, true),
    },
    evaluate: { 'evaluation.json': formats.evaluation(draws, 2) },
  };
  const records = Object.entries(stages).map(([stage, made]) => {
    const artefacts = Object.entries(made).map(([name, bytes]) => [name, sha256(bytes)] as const);
    return [stage, { inputs: hash(draws), artefacts: Object.fromEntries(artefacts) }] as const;
  });
  const told = Array.from({ length: ITERATIONS }, (_, iteration) =>
    JSON.stringify({ stage: 'distil', iteration, loss: 1, innerStep: 0.1 }),
  );
  return {
    ...Object.assign({}, ...Object.values(stages)),
    [MANIFEST]: json({ version: 2, stages: Object.fromEntries(records) }),
    'config.yaml': encode(CONFIG),
    'events.jsonl': encode(`${told.join('\n')}\n`),
    'standardisation.json': json({ version: 1, mean: [0.1], deviation: [0.3] }),
    'result.json': json(RESULT),
    'report.html': encode('<!doctype html>\n<html></html>\n'),
    'timings.json': json({ distil: 1.5 }),
    'checkpoint-experts.safetensors': checkpoint(draws, hash(draws), null, {
      theta: formats.float(draws, 3),
    }),
    '.owner-0123456789ab-7': json({
      ...{ version: 1, process: 7, machine: 'elsewhere', realm: 'its own', start: null, since: '' },
    }),
  };
}

/** A run in its distillation, as another process leaves it. */
export function watchedRun(draws: Draws): Files {
  const stage = { name: 'distil', state: 'running', total: 4, unit: 'iterations', done: 2, loss: 0.5 };
  return {
    ...checkedRun(draws),
    'checkpoint-distil.safetensors': checkpoint(draws, hash(draws), null, {
      images: formats.float(draws, 90),
    }),
    '.progress.json': json({
      ...{ version: 1, process: 7, command: 'hypergrad run', image: [1, 3, 3], updated: '', ended: null },
      stages: [{ ...stage, perSecond: 1.5, seconds: null }],
    }),
  };
}

export const adapter = { name: 'some adapter', kind: 'software' } as const;

export const tuningRecord = (): Uint8Array =>
  json({
    ...{ format: 1, adapter, hypergrad: version, webgpu: '0.6.2', made: '2026-01-02T03:04:05.678Z' },
    preset: 'tiny-test',
    choices: [{ group: 'reduce', candidate: null, before: 2, after: 1, failures: { '16': 'refused' } }],
    overrides: { unroll: 4, workgroup: { matmul: 4 } },
  });

export function manifest(draws: Draws): Uint8Array {
  const stage = () => ({ inputs: hash(draws), artefacts: { 'teacher.safetensors': hash(draws) } });
  return encode(JSON.stringify({ version: 1, stages: { teacher: stage(), 'experts/0': stage() } }, null, 2));
}

/** A sweep's folder of two jobs, of which the first is done and the second has failed. */
export function sweepFolder(draws: Draws): Files {
  const [done, failed] = ['a'.repeat(20), 'b'.repeat(20)];
  const member = 'seed=1';
  const graph = {
    version: 1,
    jobs: [
      { hash: done, kind: 'teacher', after: [], member },
      { hash: failed, kind: 'expert', part: '000', after: [done], member },
    ],
    members: [{ name: member, values: {}, seed: 1, data: hash(draws), given: null, jobs: [done, failed] }],
  };
  const record = {
    ...{ version: 1, hash: done, kind: 'teacher', seconds: 1.5, machine: 'here', finished: '' },
    device: { name: 'some device', kind: 'software', bundled: true },
  };
  const end = { outcome: 'failed', message: 'The disk is full.', exitCode: 6, at: '' };
  return {
    'sweep.json': json(graph),
    [`jobs/${done}/job.json`]: json(record),
    [`jobs/${done}/manifest.json`]: manifest(draws),
    [`claims/${failed}/0.json`]: json({
      ...{ version: 1, process: 1, machine: 'elsewhere', realm: 'its own', start: null, since: '' },
    }),
    [`claims/${failed}/0.end.json`]: json(end),
  };
}

export const images = (draws: Draws, names: readonly string[]): Files => {
  const one = formats.png(draws, true);
  return Object.fromEntries(names.map((name) => [name, draws.happens(0.95) ? one : formats.png(draws)]));
};

/** What a job of an evaluation leaves. */
export const share = (draws: Draws): Uint8Array =>
  json({
    version: 1,
    results: Array.from({ length: draws.below(4) }, () => ({
      accuracies: [draws.below(100) / 100],
      error: draws.happens(0.2) ? null : draws.below(100) / 100,
    })),
  });

/** What the jobs of a sweep were measured to take, by the name of a configuration. */
export function costs(draws: Draws, configuration: string): Files {
  const number = (): number | null => (draws.happens(0.2) ? null : draws.below(10_000));
  const cost = () => ({ seconds: number(), deviceBytes: number(), hostBytes: number(), diskBytes: number() });
  const kinds = draws.happens(0.1) ? null : { teacher: cost(), evaluation: cost() };
  return {
    'slurm/costs.json': json({
      version: 1,
      configurations: { [configuration]: { isSoftware: true, kinds } },
    }),
  };
}

/** The four files of MNIST, of small images. */
export function mnist(draws: Draws): Files {
  const [side, labels] = [
    1 + draws.below(6),
    (count: number) =>
      idx(
        [count],
        draws.bytes(count).map((n) => n % 10),
      ),
  ];
  const pictures = (count: number): Uint8Array => idx([count, side, side], draws.bytes(count * side * side));
  const [train, test] = [1 + draws.below(4), 1 + draws.below(4)];
  return {
    'train-images-idx3-ubyte': pictures(train),
    'train-labels-idx1-ubyte': labels(train),
    't10k-images-idx3-ubyte': pictures(test),
    't10k-labels-idx1-ubyte': labels(test),
  };
}
