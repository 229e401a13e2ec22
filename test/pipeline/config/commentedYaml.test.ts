import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commentedYaml } from '../../../src/pipeline/config/commentedYaml.js';
import { fieldDescriptions } from '../../../src/pipeline/config/describe.js';
import type { Fields } from '../../../src/pipeline/config/paths.js';
import { presetNames, resolveConfig } from '../../../src/pipeline/config/resolve.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-yaml-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a run reads from such a text. */
function read(text: string) {
  const file = join(folder, 'read.yaml');
  writeFileSync(file, text);
  return resolveConfig({ file, sets: [] });
}

describe('commentedYaml', () => {
  it.each(presetNames)('of %s is read again to the same values', (preset) => {
    const config = resolveConfig({ preset, sets: [] });
    expect(read(commentedYaml(config, { lines: ['A preset'] }))).toEqual(config);
  });

  it('explains every field in front of it, in lines that fit', () => {
    const text = commentedYaml(resolveConfig({ sets: [] }), { lines: ['Defaults'] });
    const lines = text.split('\n');
    expect(lines[0]).toBe('# Defaults');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(110);
    const said = text.replaceAll(/\n *# /g, ' ');
    for (const { description, range } of fieldDescriptions()) {
      expect(said).toContain(description);
      expect(said).toContain(`(${range}; default `);
    }
    expect(text).toMatch(
      /\n {2}# Inner steps N on the synthetic set \(equation 4\)\.\n {2}# \(a whole number from 1 to 100000; default 20\)\n {2}steps: 20\n/,
    );
  });

  it('lays the fields over a preset where one is named', () => {
    const text = commentedYaml({ distil: { steps: 7 } }, { lines: [], preset: 'tiny-test' });
    expect(read(text)).toEqual(resolveConfig({ preset: 'tiny-test', sets: ['distil.steps=7'] }));
  });

  it('keeps any name of a folder and any number', () => {
    fc.assert(
      fc.property(
        // Of whole code points: nothing else can stand in a UTF-8 file.
        fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
        fc.double({ min: 1e-300, max: 1e9, noNaN: true }),
        (name, learningRate) => {
          const fields: Fields = { data: { folder: name }, distil: { pixels: { learningRate } } };
          const { data, distil } = read(commentedYaml(fields, { lines: [] }));
          expect(data.folder).toBe(name);
          expect(distil.pixels.learningRate).toBe(learningRate);
        },
      ),
    );
  });
});
