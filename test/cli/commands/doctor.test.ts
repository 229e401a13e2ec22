import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeExamination, examine } from '../../../src/cli/commands/doctor.js';
import { type Bundle, bundle } from '../../support/bundle.js';
import { type Ended, NO_HARDWARE, startCommand } from '../../support/startCommand.js';

describe('hypergrad doctor', () => {
  let built: Bundle;
  let script: string;

  beforeAll(async () => {
    built = await bundle({ doctor: 'src/cli/commands/doctor.ts' });
    script = join(built.folder, 'run.mjs');
    await writeFile(
      script,
      `import { doctorCommand } from ${JSON.stringify(built.entry('doctor'))};\n` +
        `await doctorCommand().parseAsync(process.argv);\n`,
    );
  });

  afterAll(() => built.remove());

  const doctor = (args: readonly string[], env: Record<string, string>): Promise<Ended> =>
    startCommand(script, args, { env }).ended;

  it('prints exactly the four fields with --json, and ends by itself', async () => {
    const { code, stdout, stderr } = await doctor(['--json'], { HYPERGRAD_DEVICE: 'auto' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(['adapter', 'node', 'webgpu', 'ok']);
    expect(report).toMatchObject({ node: process.versions.node, ok: true });
    expect(report.webgpu).toMatch(/^\d+\.\d+\.\d+/);
    expect(Object.keys(report.adapter as object)).toEqual(['name', 'kind', 'bundled']);
  });

  const hidesHardware = process.platform === 'linux';
  it.skipIf(!hidesHardware)(
    'ends with code 3 when no device opens, null adapter on stdout (Linux only)',
    async () => {
      const { code, stdout, stderr } = await doctor(['--json'], NO_HARDWARE);
      expect(code).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({ adapter: null, ok: false });
      expect(stderr).toContain('No WebGPU device can be opened');
    },
  );

  it('says in plain words what was found, and how fast it is', async () => {
    const found = await examine();
    expect(found.ok).toBe(true);
    expect(found.flops).toBeGreaterThan(1e6);
    const text = describeExamination(found);
    expect(text).toContain(`Node ${process.versions.node}`);
    expect(text).toContain(found.adapter?.name ?? 'none');
    expect(text).toMatch(/[\d.]+ GFLOP\/s on this (hardware|software) device/);
  });

  it('suggests a driver to a software device only', async () => {
    const found = await examine();
    expect(found.suggestions.length > 0).toBe(found.adapter?.kind === 'software');
  });

  it('reports a device that does not open instead of throwing', async () => {
    const found = await examine({ adapterName: 'no such adapter' });
    expect(found).toMatchObject({ adapter: null, ok: false });
    expect(found.error).toContain('no such adapter');
    expect(describeExamination(found)).toContain('Device: none');
  });
});
