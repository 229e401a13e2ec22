import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { digits } from '../../build/digits.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { DIGITS } from '../../web/settings.js';
import { readDigits } from '../../web/worker/digits.js';

it('makes the page’s digits anew where the file holds others, and leaves those that are wanted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hypergrad-digits-'));
  const file = join(folder, 'digits.bin');
  const make = digits(file).configResolved as () => Promise<void>;
  try {
    await writeFile(file, 'what another build left');
    await make();
    const made = new Uint8Array(await readFile(file));
    const { train, test, classes } = await readDigits(made);
    expect({ train: train.count, test: test.count, classes: classes.join('') }).toEqual({
      ...DIGITS,
      classes: '0123456789',
    });

    const { tensors, metadata } = decodeSafetensors(gunzipSync(made), 'digits.bin');
    const alike = { ...metadata, extra: 'kept' };
    await writeFile(file, gzipSync(encodeSafetensors(tensors, alike)));
    await make();
    expect(decodeSafetensors(gunzipSync(await readFile(file)), 'digits.bin').metadata).toEqual(alike);

    const others = { ...metadata, of: metadata.of!.replace('"seed":1', '"seed":2') };
    await writeFile(file, gzipSync(encodeSafetensors(tensors, others)));
    await make();
    expect(decodeSafetensors(gunzipSync(await readFile(file)), 'digits.bin').metadata).toEqual(metadata);
  } finally {
    await rm(folder, { recursive: true });
  }
});
