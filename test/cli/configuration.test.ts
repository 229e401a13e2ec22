/** The commands that help to a configuration: presets, config and init. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import { configJsonSchema } from '../../src/pipeline/config/describe.js';
import { presetNames, resolveConfig } from '../../src/pipeline/config/resolve.js';
import { said as hypergrad } from '../support/command.js';
import { png, writeFiles } from '../support/imageFiles.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-configuration-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('hypergrad presets', () => {
  it('has a line for each', async () => {
    const lines = (await hypergrad('presets')).trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(presetNames);
  });

  it('tells datasets and numbers of images as JSON', async () => {
    const [first] = JSON.parse(await hypergrad('presets', '--json')) as unknown[];
    expect(first).toMatchObject({
      name: 'mnist-small',
      source: 'mnist',
      trainingImages: 2000,
      syntheticImages: 40,
    });
  });
});

describe('hypergrad config', () => {
  it('prints what a run takes as a file, with --set, --seed and --data in it', async () => {
    const file = join(folder, 'my.yaml');
    const words = ['--preset', 'tiny-test', '--set', 'distil.steps=3', '--seed', '7', '--data', 'a b'];
    writeFileSync(file, await hypergrad('config', ...words));
    expect(resolveConfig({ file, sets: [] })).toEqual(
      resolveConfig({ preset: 'tiny-test', sets: ['distil.steps=3'], seed: 7, dataFolder: 'a b' }),
    );
    expect(readFileSync(file, 'utf8')).toContain(
      "hypergrad config --preset tiny-test --data 'a b' --seed 7 --set distil.steps=3\n",
    );
  });

  it('stays one comment whatever the words', async () => {
    const file = join(folder, 'my.yaml');
    writeFileSync(file, await hypergrad('config', '--data', 'a\nseed: 99\r\nb'));
    expect(resolveConfig({ file, sets: [] })).toMatchObject({
      seed: 1,
      data: { folder: 'a\nseed: 99\r\nb' },
    });
  });

  it('prints the values alone with --json, and the schema with --schema', async () => {
    expect(JSON.parse(await hypergrad('config', '--preset', 'tiny-test', '--json'))).toEqual(
      resolveConfig({ preset: 'tiny-test', sets: [] }),
    );
    expect(JSON.parse(await hypergrad('config', '--schema'))).toEqual(configJsonSchema());
  });

  it('refuses what a run would refuse', async () => {
    await expect(hypergrad('config', '--set', 'distil.step=3')).rejects.toThrow(
      /Did you mean distil\.steps\?/,
    );
  });
});

describe('hypergrad init', () => {
  const at = (name: string) => join(folder, name);

  it('writes a file that is its preset, with the schema that its first line names', async () => {
    const said = await hypergrad('init', at('my.yaml'), '--preset', 'tiny-test');
    expect(said).toContain(at('my.yaml'));
    const text = readFileSync(at('my.yaml'), 'utf8');
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./hypergrad.schema.json');
    expect(text).not.toContain('hue:');
    expect(resolveConfig({ file: at('my.yaml'), sets: [] })).toEqual(
      resolveConfig({ preset: 'tiny-test', sets: [] }),
    );
    expect(JSON.parse(readFileSync(at('hypergrad.schema.json'), 'utf8'))).toEqual(configJsonSchema());
  });

  it('writes every field with --full, and no schema with --no-schema', async () => {
    await hypergrad('init', at('my.yaml'), '--full', '--no-schema');
    const text = readFileSync(at('my.yaml'), 'utf8');
    expect(text).toContain('hue:');
    expect(text).not.toContain('$schema');
    expect(() => readFileSync(at('hypergrad.schema.json'))).toThrow(/ENOENT/);
    expect(resolveConfig({ file: at('my.yaml'), sets: [] })).toEqual(
      resolveConfig({ preset: 'mnist-small', sets: [] }),
    );
  });

  it('writes over no file, unless --force says so', async () => {
    writeFileSync(at('my.yaml'), 'seed: 5\n');
    await expect(hypergrad('init', at('my.yaml'))).rejects.toThrow(/exists already.*--force/);
    expect(readFileSync(at('my.yaml'), 'utf8')).toBe('seed: 5\n');
    await hypergrad('init', at('my.yaml'), '--force');
    expect(readFileSync(at('my.yaml'), 'utf8')).toContain('preset: mnist-small');
  });

  it('finds out the settings of a folder of images', async () => {
    const image = await png({ width: 16, height: 16 });
    await writeFiles(at('photos'), { 'cats/1.png': image, 'cats/2.png': image, 'dogs/1.png': image });
    const said = await hypergrad(
      'init',
      at('my.yaml'),
      '--preset',
      'tiny-test',
      '--data',
      at('photos'),
      '--json',
    );
    expect(JSON.parse(said)).toEqual({ file: at('my.yaml'), schema: at('hypergrad.schema.json') });
    const text = readFileSync(at('my.yaml'), 'utf8');
    expect(text).toContain('source: folder');
    expect(text).toContain('train: null');
  });

  it('makes the synthetic set of a small folder as large as the batches of the preset', async () => {
    const image = await png({ width: 16, height: 16 });
    await writeFiles(
      at('few'),
      Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`${n}.png`, image])),
    );
    const file = at('few.yaml');
    await hypergrad('init', file, '--data', at('few'));
    // A fifth is held out.
    const { subset, distil, evaluate } = resolveConfig({ file, sets: ['data.train=240'] });
    expect(subset.fraction).toBe(0.17);
    expect([distil.batch, evaluate.batch]).toEqual([20, 40]);
  });

  it('says where it cannot write', async () => {
    await expect(hypergrad('init', at('nowhere/my.yaml'))).rejects.toThrow(
      /cannot be written: its folder does not exist/,
    );
    await expect(hypergrad('init', at('my.txt'))).rejects.toThrow(ConfigError);
  });
});
