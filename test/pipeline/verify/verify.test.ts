import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import type { Device } from '../../../src/gpu/device.js';
import { openDevice } from '../../../src/gpu/node/openDevice.js';
import { decodeSafetensors, encodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { measure, parseCase } from '../../../src/pipeline/verify/case.js';
import { findCases, verifyCase, worstOf } from '../../../src/pipeline/verify/verify.js';
import { reluCase } from '../../support/reluCase.js';

let device: Device;
let folder: string;

beforeAll(async () => {
  device = await openDevice();
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-verify-'));
});
afterAll(() => {
  device.close();
  rmSync(folder, { recursive: true });
});

const golden = '../shared/golden';
const cases = existsSync(golden)
  ? readdirSync(golden)
      .filter((file) => file.endsWith('.safetensors'))
      .map((file) => file.replace(/\.safetensors$/, ''))
      .sort()
  : [];

describe('the reference cases', () => {
  it.skipIf(cases.length === 0)(`are there (needs the folder ${golden})`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(34);
  });

  it.skipIf(cases.length === 0)(`are read and written again as they are (needs the folder ${golden})`, () => {
    for (const name of cases) {
      const file = `${name}.safetensors`;
      const { tensors, metadata } = decodeSafetensors(readFileSync(join(golden, file)), file);
      expect(metadata.format).toBe('golden-1');
      expect(tensors.size).toBeGreaterThan(0);
      expect(decodeSafetensors(encodeSafetensors(tensors, metadata), file)).toEqual({ tensors, metadata });
    }
  });

  for (const name of cases) {
    it(`${name} passes`, async () => {
      const { readable, measured, reason, passed } = await verifyCase(
        join(golden, `${name}.safetensors`),
        device,
      );
      expect({ readable, reason }).toEqual({ readable: true, reason: undefined });
      expect(measured.filter(({ error, allowed }) => !(error <= allowed))).toEqual([]);
      expect(measured.length).toBeGreaterThan(0);
      expect(passed).toBe(true);
    });
  }
});

describe('verifyCase', () => {
  const write = (name: string, bytes: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  it('passes a case that fits, with the numbers of every output', async () => {
    const result = await verifyCase(write('fits.safetensors', reluCase()), device);
    expect(result).toMatchObject({ name: 'fits', passed: true, readable: true });
    expect(result.measured.map(({ output }) => output).sort()).toEqual(['d_x', 'dd_v', 'dd_x', 'y']);
  });

  it('fails a case with one number changed, and names the output', async () => {
    const result = await verifyCase(
      write('changed.safetensors', reluCase({ changed: { name: 'out.d_x', value: 0.75 } })),
      device,
    );
    expect(result).toMatchObject({ passed: false, readable: true });
    const { output, error, allowed } = worstOf(result.measured)!;
    expect(output).toBe('d_x');
    expect(error).toBeGreaterThan(allowed);
  });

  it('never passes a wanted NaN', async () => {
    const bytes = reluCase({ changed: { name: 'out.y', value: Number.NaN } });
    expect((await verifyCase(write('nan.safetensors', bytes), device)).passed).toBe(false);
  });

  it.each(['y', 'd_x', 'dd_x', 'dd_v'])('names the output that came out NaN as the worst: %s', (name) => {
    const outputs: Record<string, number[]> = {
      y: [2, 0, 3],
      d_x: [0.5, 0, -1],
      dd_x: [0, 0, 0],
      dd_v: [1, 0, 3],
    };
    outputs[name]![1] = Number.NaN;
    const worst = worstOf(measure(parseCase(reluCase(), 'relu'), outputs));
    expect(worst).toMatchObject({ output: name, error: Number.POSITIVE_INFINITY });
  });

  it.each([
    [{ op: 'constructor' }, /the operation 'constructor' is not known/],
    [{ op: 'x'.repeat(10_000) }, /^.{1,500}$/],
    [{ op: 'softmaxCrossEntropy', labels: { length: 1e9 } }, /'labels' is no list of whole numbers/],
    [{ op: 'softmaxCrossEntropy', labels: [0.5] }, /'labels' is no list of whole numbers/],
  ])('fails a case whose config no operation has: %j', async (config, reason) => {
    const result = await verifyCase(write('strange.safetensors', reluCase({ config })), device);
    expect(result).toMatchObject({ passed: false, readable: true, reason: expect.stringMatching(reason) });
  });

  it('fails a case that asks for an output which its kind does not have', async () => {
    const bytes = reluCase({ renamed: { from: 'out.y', to: 'out.z' } });
    const result = await verifyCase(write('other.safetensors', bytes), device);
    expect(result.passed).toBe(false);
    expect(worstOf(result.measured)).toMatchObject({ output: 'z', error: Number.POSITIVE_INFINITY });
  });

  it('fails a case that lacks an input, and names it', async () => {
    const bytes = reluCase({ renamed: { from: 'in.u_x', to: 'in.w_x' } });
    const result = await verifyCase(write('lacks.safetensors', bytes), device);
    expect(result).toMatchObject({ passed: false, readable: true });
    expect(result.reason).toBeTruthy();
  });

  const student = { size: 16, channels: 3, depth: 2, width: 8, rep: 4, loss: 'mse' };
  it.each([
    [
      'studentStep',
      { ...student, depth: 1e9 },
      /'depth' is 1000000000, but must be a whole number from 1 to/,
    ],
    ['studentStep', { ...student, width: 2.5 }, /'width' is 2.5/],
    ['expert', { ...student, rep: 2 ** 40 }, /'rep' is 1099511627776/],
    ['unroll', { ...student, size: 0 }, /'size' is 0/],
  ])('fails a case of the kind %s that asks for what no case needs: %j', async (kind, config, reason) => {
    const result = await verifyCase(write('hostile.safetensors', reluCase({ kind, config })), device);
    expect(result).toMatchObject({ passed: false, readable: true });
    expect(result.reason).toMatch(reason);
  });

  it('says which kinds are known for one that is not', async () => {
    const result = await verifyCase(write('kind.safetensors', reluCase({ kind: 'resnet99' })), device);
    expect(result).toMatchObject({ passed: false, readable: true });
    expect(result.reason).toContain("kind 'resnet99'");
    // What every object has is no kind either.
    const inherited = await verifyCase(write('kind.safetensors', reluCase({ kind: 'constructor' })), device);
    expect(inherited).toMatchObject({ passed: false, reason: expect.stringContaining("kind 'constructor'") });
  });

  it.each([
    ['cut short', () => reluCase().subarray(0, -4)],
    ['cut short within its header', () => reluCase().subarray(0, 40)],
    ['empty', () => ''],
    ['no safetensors', () => 'This is a text of more than eight bytes.'],
    ['of another format', () => reluCase({ format: 'golden-2' })],
  ])('calls a file unreadable that is %s, and names it', async (_, bytes) => {
    const path = write('unreadable.safetensors', bytes());
    const result = await verifyCase(path, device);
    expect(result).toMatchObject({ passed: false, readable: false, measured: [] });
    expect(result.reason).toContain(path);
  });

  it('calls a file unreadable that is not there', async () => {
    const result = await verifyCase(join(folder, 'none.safetensors'), device);
    expect(result).toMatchObject({ passed: false, readable: false });
  });
});

describe('findCases', () => {
  it('takes files as they are and the sorted cases of folders', async () => {
    const inner = mkdtempSync(join(folder, 'cases-'));
    for (const name of ['b.safetensors', 'a.safetensors', 'readme.txt']) writeFileSync(join(inner, name), '');
    expect(await findCases([join(inner, 'readme.txt'), inner])).toEqual([
      join(inner, 'readme.txt'),
      join(inner, 'a.safetensors'),
      join(inner, 'b.safetensors'),
    ]);
  });

  it('refuses a path that leads nowhere, and a folder without cases', async () => {
    await expect(findCases([join(folder, 'nowhere')])).rejects.toThrow(DataError);
    await expect(findCases([join(folder, 'nowhere')])).rejects.toThrow('nowhere does not exist');
    await expect(findCases([mkdtempSync(join(folder, 'empty-'))])).rejects.toThrow(
      'holds no .safetensors file',
    );
  });
});
