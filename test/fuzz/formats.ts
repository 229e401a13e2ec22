/** Files as they should be, small and each of another content. */
import { deflateSync } from 'node:zlib';
import { stringify } from 'yaml';
import { sizeOf } from '../../src/autograd/tape.js';
import { fieldPaths, mergeLayers, valueLayer } from '../../src/pipeline/config/layers.js';
import { type Fields, valueAt } from '../../src/pipeline/config/paths.js';
import { configSchema } from '../../src/pipeline/config/schema.js';
import { encodeSafetensors, type NamedTensor } from '../../src/pipeline/store/safetensors.js';
import { crc32 } from '../support/crc32.js';
import { idx } from '../support/imageFiles.js';
import type { Draws } from './draws.js';
import { encode } from './mutate.js';

/** A tensor of small numbers; of `shape`, or of any. */
export function tensor(draws: Draws, shape?: readonly number[], dtype?: NamedTensor['dtype']): NamedTensor {
  const extents = shape ?? Array.from({ length: draws.below(5) }, () => draws.below(4));
  const kind = dtype ?? draws.pick(['F32', 'I32'] as const);
  const numbers = Array.from({ length: sizeOf(extents) }, () => draws.below(200) - 100);
  return {
    dtype: kind,
    shape: extents,
    data: kind === 'F32' ? Float32Array.from(numbers, (n) => n / 8) : Int32Array.from(numbers),
  };
}

export function safetensors(draws: Draws): Uint8Array {
  const names = ['a', 'b.weight', 'train', 'test', '__proto__', 'ä', ''].filter(() => draws.happens(0.4));
  const metadata = draws.happens(0.5) ? { format: 'x', note: 'n'.repeat(draws.below(20)) } : {};
  return encodeSafetensors(new Map(names.map((name) => [name, tensor(draws)])), metadata);
}

/** A set as `hypergrad evaluate` takes it. */
export function givenSet(draws: Draws): Uint8Array {
  const [count, channels, side] = [1 + draws.below(3), draws.pick([1, 3]), 1 + draws.below(4)];
  const tensors = new Map([['images', tensor(draws, [count, channels, side, side], 'F32')]]);
  if (draws.happens(0.6)) tensors.set('targets', tensor(draws, [count, 1 + draws.below(4)], 'F32'));
  if (draws.happens(0.6)) {
    tensors.set('innerStep', { dtype: 'F32', shape: [1], data: Float32Array.of(0.1) });
  }
  const each = (value: number): string => JSON.stringify(Array(channels).fill(value));
  return encodeSafetensors(tensors, draws.happens(0.5) ? { mean: each(0.1), deviation: each(0.3) } : {});
}

/** A reference case. */
export function referenceCase(draws: Draws): Uint8Array {
  const tensors = new Map([
    ['in.x', tensor(draws)],
    ['out.y', tensor(draws)],
  ]);
  return encodeSafetensors(tensors, {
    format: 'golden-1',
    kind: draws.pick(['op', 'unroll', 'constructor']),
    config: JSON.stringify({ op: 'matmul', stride: [1, 2] }),
    tol: JSON.stringify({ y: { rel: 1e-5, abs: 1e-6 } }),
  });
}

const npyBytes = { '<f2': 2, '<f4': 4, '<f8': 8 } as const;

/** An array of `shape`, or of any. */
export function npy(draws: Draws, wanted?: readonly number[]): Uint8Array {
  const shape = wanted ?? Array.from({ length: draws.below(4) }, () => draws.below(5));
  const descr = draws.pick(['<f2', '<f4', '<f8'] as const);
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const version = draws.pick([1, 2, 3]);
  const lengthBytes = version === 1 ? 2 : 4;
  const header = encode(`${text}${' '.repeat(63 - ((8 + lengthBytes + text.length) % 64))}\n`);
  const body = draws.bytes(sizeOf(shape) * npyBytes[descr]);
  const bytes = new Uint8Array(8 + lengthBytes + header.length + body.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  bytes.set(header, 8 + lengthBytes);
  bytes.set(body, 8 + lengthBytes + header.length);
  return bytes;
}

/** IDX of 1 or 3 dimensions. */
export function idxFile(draws: Draws, dimensions: 1 | 3): Uint8Array {
  const shape = Array.from({ length: dimensions }, () => 1 + draws.below(6));
  return idx(shape, draws.bytes(sizeOf(shape)));
}

/** Records of CIFAR-10 (one byte of labels) or CIFAR-100 (two). */
export function cifarRecords(draws: Draws, labelBytes: 1 | 2 = 1): Uint8Array {
  const count = 1 + draws.below(2);
  const length = labelBytes + 3072;
  const bytes = new Uint8Array(count * length);
  for (let record = 0; record < count; record += 1)
    bytes.fill(draws.below(10), record * length, record * length + labelBytes);
  return bytes;
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** A PNG; unless it is to be honest, now and then with a header that its data does not bear out and a checksum that is right. */
export function png(draws: Draws, isHonest = false): Uint8Array {
  const [width, height] = [1 + draws.below(8), 1 + draws.below(8)];
  const [colour, channels] = draws.pick([
    [0, 1],
    [2, 3],
    [4, 2],
    [6, 4],
  ] as const);
  const depth = draws.pick([8, 16]);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colour, 0, 0, draws.below(2)], 8);
  if (!isHonest && draws.happens(0.3))
    view.setUint32(4 * draws.below(2), 2 ** draws.below(32) - draws.below(2));
  if (!isHonest && draws.happens(0.1)) header[8 + draws.below(5)] = draws.below(256);
  const row = new Uint8Array(1 + (width * channels * depth) / 8).fill(draws.below(256), 1);
  const pixels = new Uint8Array(row.length * height);
  for (let y = 0; y < height; y += 1) pixels.set(row, y * row.length);
  const chunks = [
    pngChunk('IHDR', header),
    ...(draws.happens(0.2)
      ? [pngChunk(draws.pick(['tEXt', 'iCCP', 'eXIf', 'acTL']), draws.bytes(draws.size(60)))]
      : []),
    pngChunk('IDAT', deflateSync(pixels)),
    pngChunk('IEND', new Uint8Array()),
  ];
  return Buffer.concat([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), ...chunks]);
}

const defaults = configSchema.parse({}) as unknown as Fields;

/** A configuration that says a few fields, some of them otherwise than the default. */
export function configuration(draws: Draws): Uint8Array {
  const layers = fieldPaths
    .filter(() => draws.happens(0.1))
    .map((path) => {
      const names = path.split('.');
      const value = valueAt(defaults, names);
      const said = typeof value === 'number' && draws.happens(0.3) ? value * 2 : value;
      return valueLayer(names, said, 'fuzz');
    });
  const fields = mergeLayers(layers);
  const whole = draws.happens(0.3)
    ? { preset: draws.pick(['tiny-test', 'mnist-small', '../x']), ...fields }
    : fields;
  return encode(draws.happens(0.3) ? JSON.stringify(whole, null, 2) : stringify(whole));
}

/** A sweep's file. */
export const sweep = (draws: Draws): Uint8Array =>
  encode(
    draws.pick([
      'preset: tiny-test\ngrid: { distil.steps: [1, 2], seed: [3] }\nseeds: [1, 2]\n',
      'config: { distil: { steps: 3 } }\nlist:\n  - { name: a, distil.iterations: 5 }\n  - { preset: tiny-test }\n',
      'preset: tiny-test\nseeds: [0, 4294967295]\ngrid:\n  evaluate.labels: [[0.1], [0.1, 0.2]]\n',
    ]),
  );

export function evaluation(draws: Draws, seeds = 1 + draws.below(4)): Uint8Array {
  const numbers = (): number[] => Array.from({ length: seeds }, () => draws.below(1000) / 1000);
  const table = () => ({
    rows: ['MKDT', 'random subset'].flatMap((name) =>
      [0.01, 0.05].map((labels) => ({ name, labels, accuracies: numbers() })),
    ),
    heldOut: ['MKDT', 'random subset'].map((name) => ({ name, errors: numbers() })),
  });
  const students = [
    { architecture: 'mlp', depth: 2, width: 8 },
    { architecture: 'resNet18', width: 4 },
  ];
  const transfer = students.filter(() => draws.happens(0.3)).map((student) => ({ student, ...table() }));
  return encode(JSON.stringify({ version: 2, ...table(), transfer }, null, 2));
}

export const result = (): Uint8Array =>
  encode(
    JSON.stringify({
      ...{ version: 1, dataset: 'mnist', seconds: { distil: 1 } },
      device: { name: 'Some GPU', kind: 'hardware', bundled: false },
    }),
  );

export function events(draws: Draws): Uint8Array {
  const lines = Array.from({ length: draws.below(20) }, (_, iteration) =>
    JSON.stringify({ stage: draws.pick(['teacher', 'distil']), iteration, loss: draws.below(100) / 100 }),
  );
  return encode(lines.map((line) => `${line}\n`).join(''));
}

export const float = (draws: Draws, ...shape: number[]): NamedTensor => tensor(draws, shape, 'F32');

/** What the encoders of an evaluation made of some images. */
export function representations(draws: Draws): Uint8Array {
  const [count, length] = [draws.below(6), 1 + draws.below(4)];
  const integers = (): NamedTensor => ({
    dtype: 'I32',
    shape: [count],
    data: Int32Array.from({ length: count }, () => draws.below(3)),
  });
  const tensors = new Map([
    ['images', integers()],
    ['teacher', float(draws, count, length)],
    ['mkdt', float(draws, count, length)],
  ]);
  if (draws.happens(0.7)) tensors.set('labels', integers());
  return encodeSafetensors(tensors, { version: '1', classes: JSON.stringify(['a', 'b', 'c']) });
}

/** JPEG pictures of 8×8 pixels: one in a single scan, and one whose detail comes in ten. */
const JPEGS = [
  '/9j/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAfEAABAwMFAAAAAAAAAAAAAAABAAIDBBExEiFBUYH/xAAUAQEAAAAAAAAAAAAAAAAAAAAB/8QAGxEAAgMAAwAAAAAAAAAAAAAAAQIAAxESgfD/2gAMAwEAAhEDEQA/ALsImujNOY2w6RkEEFu9+sEcZ8JESg5KDvu9itS2qGaf/9k=',
  '/9j/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wgARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAH/xAAUAQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIQAxAAAAGg/8QAFRABAQAAAAAAAAAAAAAAAAAAADH/2gAIAQEAAQUCj//EABcRAQEBAQAAAAAAAAAAAAAAAAECABH/2gAIAQMBAT8BJKOu/8QAFhEBAQEAAAAAAAAAAAAAAAAAAQAh/9oACAECAQE/ATS//8QAFhABAQEAAAAAAAAAAAAAAAAAEQAS/9oACAEBAAY/AjIX/8QAGRAAAQUAAAAAAAAAAAAAAAAAAAERITGx/9oACAEBAAE/IaLAbh//2gAMAwEAAgADAAAAEP8A/8QAFREBAQAAAAAAAAAAAAAAAAAAAAH/2gAIAQMBAT8Qih//xAAYEQACAwAAAAAAAAAAAAAAAAABEQCB8P/aAAgBAgEBPxAUF63P/8QAGhABAAIDAQAAAAAAAAAAAAAAARExIUFRgf/aAAgBAQABPxCBhQFiI5Tyk1fj/9k=',
].map((text) => Buffer.from(text, 'base64'));
/** Where the two have their height and width. */
const JPEG_SIZE = 145;

/** A JPEG, now and then with a size that its data does not bear out. */
export function jpeg(draws: Draws): Uint8Array {
  const bytes = Uint8Array.from(draws.pick(JPEGS));
  if (draws.happens(0.3)) bytes[JPEG_SIZE + draws.below(4)] = draws.below(256);
  return bytes;
}

/** What `squeue` prints of a few tasks. */
export function queue(draws: Draws): Uint8Array {
  const line = (): string =>
    `12|${draws.below(9)}|hypergrad-0badcafe-expert-0123456789ab|${draws.pick(['RUNNING', 'PENDING', 'TIMEOUT'])}|1-02:03:04|UNLIMITED|n1|(Priority)\n`;
  return encode(Array.from({ length: draws.below(4) }, line).join(''));
}

/** What `sacct` prints of a few tasks. */
export function accounts(draws: Draws): Uint8Array {
  const line = (): string =>
    `12_${draws.below(9)}|hypergrad-0badcafe-expert-0123456789ab|${draws.pick(['COMPLETED', 'CANCELLED by 0'])}|00:03:04|n1|None\n`;
  return encode(Array.from({ length: draws.below(4) }, line).join(''));
}
