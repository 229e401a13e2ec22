import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationCase } from '../support/operations/case.js';
import { type Block, blocksOf } from './snippets.js';

const PAGE = 'docs/guide/write-a-kernel.md';

interface NamedBlock extends Block {
  readonly file: string;
}

/** The page's blocks that name a file: whole files, and changes that put lines after one that is there. */
async function namedBlocks(): Promise<NamedBlock[]> {
  return blocksOf(await readFile(PAGE, 'utf8')).flatMap((block) => {
    const [, file] = /^file=(\S+)$/.exec(block.info) ?? [];
    return file === undefined ? [] : [{ ...block, file }];
  });
}

/** Puts a change's added lines after its first line, which must stand in the file exactly once. */
function applyChange(file: string, text: string, change: string): string {
  const lines = change.trimEnd().split('\n');
  const anchor = lines[0]!.slice(1);
  const added = lines.slice(1).map((line) => line.slice(1));
  const target = text.split('\n');
  const places = target.flatMap((line, index) => (line === anchor ? [index] : []));
  expect(places, `places of '${anchor}' in ${file}`).toHaveLength(1);
  expect(lines.slice(1).every((line) => line.startsWith('+'))).toBe(true);
  target.splice(places[0]! + 1, 0, ...added);
  return target.join('\n');
}

let folder: string;
const at = (path: string): string => join(folder, path);

beforeAll(async () => {
  folder = await mkdtemp(resolve('test', '.write-a-kernel-'));
  await cp('src', at('src'), { recursive: true });
  await cp('package.json', at('package.json'));
  await cp('test/support', at('test/support'), { recursive: true });
  for (const { language, file, text } of await namedBlocks()) {
    await mkdir(dirname(at(file)), { recursive: true });
    const whole = language === 'diff' ? applyChange(file, await readFile(at(file), 'utf8'), text) : text;
    await writeFile(at(file), whole);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe(`an operation added as ${PAGE} says`, () => {
  it("is in the project's form, which every change is checked for", async () => {
    const paths = new Set((await namedBlocks()).map(({ file }) => file));
    const sources = [...paths].filter((path) => path.endsWith('.ts'));
    expect(sources.length).toBeGreaterThan(5);
    for (const path of sources) {
      const input = await readFile(at(path), 'utf8');
      const form = ['check', '--write', `--stdin-file-path=${path}`];
      expect(execFileSync('node_modules/.bin/biome', form, { encoding: 'utf8', input }), path).toBe(input);
    }
  });

  it('passes what every operation must pass', async () => {
    const { openDevice } = await import(at('src/gpu/node/openDevice.ts'));
    const { compile, interpret, trace, cumulativeSum, ShapeError, f32 } = await import(at('src/index.ts'));
    const { allProperties } = await import(at('test/support/operations/all.ts'));
    const { TINY } = await import(at('test/support/operations/case.ts'));
    const derivatives = await import(at('test/support/derivatives.ts'));
    const { operationNames } = await import(at('src/autograd/ops/index.ts'));

    const properties: { operation: string; cases: fc.Arbitrary<OperationCase> }[] = allProperties(TINY);
    expect(properties.map(({ operation }) => operation).sort()).toEqual([...operationNames].sort());
    const { cases } = properties.find(({ operation }) => operation === 'cumulativeSum')!;
    const runs = { seed: 20_240_105, numRuns: 10 };
    fc.assert(fc.property(cases, derivatives.expectFirstDerivatives), runs);
    fc.assert(fc.property(cases, derivatives.expectSecondDerivatives), runs);
    fc.assert(fc.property(cases, derivatives.expectForwardMode), runs);

    const device = await openDevice();
    const tape = trace({ x: f32(2, 3) }, ({ x }: Record<string, never>) => ({
      y: cumulativeSum(x),
      back: cumulativeSum(x, { reverse: true }),
    }));
    const x = Float32Array.of(1, 2, 3, 10, 20, 30);
    const plan = await compile(tape, device);
    const want = { y: [1, 3, 6, 10, 30, 60], back: [6, 5, 3, 60, 50, 30] };
    for (const got of [await plan.run({ x }), interpret(tape, { x })]) {
      expect({ y: [...got.y], back: [...got.back] }).toEqual(want);
    }
    device.close();
    const scalar = () => trace({ x: f32() }, ({ x }: Record<string, never>) => ({ y: cumulativeSum(x) }));
    expect(scalar).toThrow(ShapeError);
    expect(scalar).toThrow(/cumulativeSum: x is f32\[\]/);
  });
});
