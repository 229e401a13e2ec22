import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trace } from '../../src/autograd/trace.js';
import type { Device } from '../../src/gpu/device.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';
import { allProperties } from '../support/operations/all.js';
import { BLOCKS, type OperationCase } from '../support/operations/case.js';
import { type Bundled, bundleForBrowser, hasBundledChromium, type OpenPage, openPage } from './chromium.js';
import { hypergradient, type NamedNumbers, outputs, type TapeCase } from './page.js';

/** The page's global: what page.ts exports, bundled. */
declare const engine: typeof import('./page.js');

function tapeCase({ inputs, build }: OperationCase): TapeCase {
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  return {
    tape: trace(types, (tensors) => ({ y: build(tensors) })),
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, { values }]) => [name, [...values]])),
  };
}

/** Two random cases of every operation in the table. */
const operationCases = (): Record<string, TapeCase> =>
  Object.fromEntries(
    allProperties(BLOCKS).flatMap(({ operation, cases }) =>
      fc
        .sample(cases, { seed: 20_240_103, numRuns: 2 })
        .map((each, index) => [`${operation}${index}`, tapeCase(each)] as const),
    ),
  );

const bitsOf = (values: readonly number[]): Uint32Array => new Uint32Array(Float32Array.from(values).buffer);

/** A line for each name whose numbers are not the same bits. */
function differences(got: NamedNumbers, want: NamedNumbers): string[] {
  return Object.entries(want).flatMap(([name, values]) => {
    const other = got[name] ?? [];
    if (other.length !== values.length) return [`${name}: ${other.length} numbers, not ${values.length}`];
    const [these, those] = [bitsOf(other), bitsOf(values)];
    const unequal = values.flatMap((_, index) => (these[index] === those[index] ? [] : [index]));
    if (unequal.length === 0) return [];
    const [first = 0] = unequal;
    return [
      `${name}: ${unequal.length} of ${values.length} differ, number ${first} is ${other[first]}, not ${values[first]}`,
    ];
  });
}

describe.skipIf(!hasBundledChromium)('the engine in Chromium (Linux on x64 only)', () => {
  let bundled: Bundled;
  let opened: OpenPage;
  let device: Device;

  beforeAll(async () => {
    device = await openDevice({ choice: 'bundled' });
    bundled = await bundleForBrowser('test/browser/page.ts');
    opened = await openPage(bundled.code);
  });

  afterAll(async () => {
    await opened?.close();
    device?.close();
  });

  it('is bundled without a warning, such as that of a missing module of Node’s', async () => {
    expect(bundled.warnings).toEqual([]);
    const needsNode = await bundleForBrowser('src/gpu/node/vulkanLoader.ts');
    expect(needsNode.warnings.join()).toMatch(/vulkanLoader.*node:os/);
  });

  it('opens the software device as such', async () => {
    const adapter = await opened.page.evaluate(() => engine.onSoftwareDevice(async (found) => found.adapter));
    expect(adapter).toEqual({
      name: expect.stringMatching(/swiftshader/i),
      kind: 'software',
      bundled: false,
    });
    expect(opened.faults).toEqual([]);
  });

  it.each(['recompute', 'full'] as const)(
    'computes a hypergradient bit by bit as Node does, in %s mode',
    async (memory) => {
      const got = await opened.page.evaluate(
        (mode) => engine.onSoftwareDevice((opened) => engine.hypergradient(opened, mode)),
        memory,
      );
      const want = await hypergradient(device, memory);
      expect(opened.faults).toEqual([]);
      expect(Object.keys(got)).toEqual(Object.keys(want));
      for (const [name, values] of Object.entries(want)) {
        expect(values.some(Boolean), `${name} is not 0`).toBe(true);
      }
      expect(differences(got, want)).toEqual([]);
    },
  );

  it('computes every operation bit by bit as Node does', async () => {
    const cases = operationCases();
    const got = await opened.page.evaluate(
      (sent) => engine.onSoftwareDevice((found) => engine.outputs(found, sent)),
      cases,
    );
    const want = await outputs(device, cases);
    expect(opened.faults).toEqual([]);
    expect(Object.keys(got)).toEqual(Object.keys(want));
    expect(differences(got, want)).toEqual([]);
  });
});
