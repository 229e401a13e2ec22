import { describe, expect, it } from 'vitest';
import { DataError, StoreError } from '../../../src/errors.js';
import type { Dataset } from '../../../src/pipeline/data/dataset.js';
import {
  readRepresentations,
  SHOWN_CLASSES,
  SHOWN_IMAGES,
  ShownOutputs,
  shownImages,
} from '../../../src/pipeline/evaluate/representations.js';
import type { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from '../../../src/pipeline/store/safetensors.js';
import { imageSetOf } from '../../support/imageSet.js';

const labelsOf = (count: number, classes: number) =>
  Int32Array.from({ length: count }, (_, k) => k % classes);

describe('the images that are shown', () => {
  it('are some of the test images, each once, drawn by the seed', () => {
    const labels = labelsOf(2000, 10);
    const shown = shownImages({ count: 2000, labels }, 1);
    expect(shown).toHaveLength(SHOWN_IMAGES);
    expect(new Set(shown).size).toBe(SHOWN_IMAGES);
    expect([...shown]).toEqual([...shown].sort((a, b) => a - b));
    expect(shownImages({ count: 2000, labels }, 1)).toEqual(shown);
    expect(shownImages({ count: 2000, labels }, 2)).not.toEqual(shown);
    expect(new Set(Array.from(shown, (image) => labels[image]!)).size).toBe(10);
  });

  it('are all where there are few, and need no labels', () => {
    expect([...shownImages({ count: 4, labels: null }, 1)]).toEqual([0, 1, 2, 3]);
    expect(shownImages({ count: 1000, labels: null }, 1)).toHaveLength(SHOWN_IMAGES);
  });

  it('are of ten classes where there are more', () => {
    const labels = labelsOf(10_000, 100);
    const shown = shownImages({ count: 10_000, labels }, 3);
    expect(shown).toHaveLength(SHOWN_IMAGES);
    expect(new Set(Array.from(shown, (image) => labels[image]!)).size).toBe(SHOWN_CLASSES);
  });
});

describe('representations.safetensors', () => {
  const dataset: Dataset = {
    name: 'made up',
    image: [1, 1, 1],
    classes: ['a', 'b'],
    mean: [0],
    deviation: [1],
    close() {},
    train: imageSetOf(new Float32Array(2), labelsOf(2, 2), 2),
    test: imageSetOf(new Float32Array(4), Int32Array.of(0, 1, 1, 0), 4),
  };
  const outputs = Float32Array.from({ length: 8 }, (_, k) => k);

  /** A folder in memory, of one file. */
  function folderOf() {
    let content = new Uint8Array(0);
    const folder = {
      pathOf: (name: string) => `run/${name}`,
      async writeBytes(_: string, bytes: Uint8Array<ArrayBuffer>) {
        content = bytes;
      },
      readBytes: async () => content,
    } as unknown as RunFolder;
    return {
      folder,
      change(with_: (tensors: Map<string, NamedTensor>) => void, more: Record<string, string> = {}) {
        const { tensors, metadata } = decodeSafetensors(content, 'x');
        with_(tensors);
        content = encodeSafetensors(tensors, { ...metadata, ...more }) as Uint8Array<ArrayBuffer>;
      },
    };
  }

  async function written() {
    const made = folderOf();
    const shown = new ShownOutputs(Int32Array.of(1, 3), 2);
    shown.take('mkdt', 0, outputs);
    shown.take(
      'mkdt',
      1,
      outputs.map((value) => -value),
    );
    await shown.write(
      made.folder,
      outputs.map((value) => 10 * value),
      dataset,
    );
    return made;
  }

  it('holds the teacher first, then each row of the first seed, with labels and the names of classes', async () => {
    const { folder } = await written();
    expect(await readRepresentations(folder)).toEqual({
      images: Int32Array.of(1, 3),
      labels: Int32Array.of(1, 0),
      classes: ['a', 'b'],
      representation: 2,
      encoders: [
        { name: 'teacher', values: Float32Array.of(20, 30, 60, 70) },
        { name: 'MKDT', values: Float32Array.of(2, 3, 6, 7) },
      ],
    });
  });

  it('is refused in words where it is damaged, or of a newer version', async () => {
    const flat: NamedTensor = { dtype: 'F32', shape: [4], data: new Float32Array(4) };
    const endless: NamedTensor = { dtype: 'F32', shape: [2, 2], data: new Float32Array(4).fill(Number.NaN) };
    for (const harm of [
      (tensors: Map<string, NamedTensor>) => tensors.delete('teacher'),
      (tensors: Map<string, NamedTensor>) => tensors.delete('images'),
      (tensors: Map<string, NamedTensor>) => tensors.set('mkdt', flat),
      (tensors: Map<string, NamedTensor>) => tensors.set('mkdt', endless),
      (tensors: Map<string, NamedTensor>) => tensors.set('labels', flat),
    ]) {
      const made = await written();
      made.change(harm);
      await expect(readRepresentations(made.folder)).rejects.toThrow(
        /is damaged\. Give the run's command again/,
      );
    }
    const named = await written();
    named.change(() => {}, { classes: '{' });
    await expect(readRepresentations(named.folder)).rejects.toThrow(StoreError);
    const newer = await written();
    newer.change(() => {}, { version: '2' });
    await expect(readRepresentations(newer.folder)).rejects.toThrow(/written by a newer hypergrad/);
    await expect(readRepresentations(folderOf().folder)).rejects.toThrow(DataError);
  });

  it('goes on from a checkpoint that has every encoder that is done, and from no other', () => {
    const shown = new ShownOutputs(Int32Array.of(1, 3), 2);
    shown.take('randomEncoder', 0, outputs);
    const rows = ['randomEncoder', 'mkdt', 'teacher'] as const;
    const again = new ShownOutputs(Int32Array.of(1, 3), 2);
    expect(again.restore({ tensors: shown.kept, state: null, done: 1 }, rows)).toBe(true);
    expect(again.kept).toEqual(shown.kept);
    expect(again.restore({ tensors: shown.kept, state: null, done: 2 }, rows)).toBe(false);
    // Of the teacher nothing is kept: it is known without a student.
    shown.take('mkdt', 0, outputs);
    expect(again.restore({ tensors: shown.kept, state: null, done: 5 }, rows)).toBe(true);
  });
});
