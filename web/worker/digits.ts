/** The digits that ship with the page. */
import type { Dataset, ImageSet } from '../../src/pipeline/data/dataset.js';
import { takeRows } from '../../src/pipeline/stages/context.js';
import { decodeSafetensors, type TensorFile } from '../../src/pipeline/store/safetensors.js';

/** Undoes gzip with what the platform brings. */
async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function imageSet({ tensors }: TensorFile, part: 'train' | 'test'): ImageSet {
  const images = tensors.get(`${part}.images`)!.data as Float32Array;
  const labels = tensors.get(`${part}.labels`)!.data as Int32Array;
  const count = labels.length;
  const row = images.length / count;
  return {
    count,
    images,
    labels,
    origin: { part, count, numbers: Int32Array.from({ length: count }, (_, number) => number) },
    rows: async (numbers) => takeRows(images, row, numbers),
  };
}

/** The dataset in the bytes of `digits.bin`. Throws `DataError` for other bytes. */
export async function readDigits(bytes: Uint8Array<ArrayBuffer>): Promise<Dataset> {
  const file = decodeSafetensors(await inflate(bytes), 'digits.bin');
  const [, ...image] = file.tensors.get('train.images')!.shape;
  const list = <Item>(name: string): Item[] => JSON.parse(file.metadata[name]!) as Item[];
  return {
    name: 'mnist',
    image: image as [number, number, number],
    classes: list<string>('classes'),
    train: imageSet(file, 'train'),
    test: imageSet(file, 'test'),
    mean: list<number>('mean'),
    deviation: list<number>('deviation'),
    close: () => undefined,
  };
}
