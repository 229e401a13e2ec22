import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, DeviceError } from '../../../src/errors.js';
import { openDevice } from '../../../src/gpu/node/openDevice.js';
import { type Bundle, bundle } from '../../support/bundle.js';

const run = promisify(execFile);
const hasBundledVulkan = process.platform === 'linux' && process.arch === 'x64';

describe('openDevice', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('refuses an unknown HYPERGRAD_DEVICE and names the four that there are', async () => {
    vi.stubEnv('HYPERGRAD_DEVICE', 'quantum');
    const error = await openDevice().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toMatch(
      /'quantum'.*HYPERGRAD_DEVICE.*auto, hardware, software, bundled/,
    );
  });

  it('names the choice that HYPERGRAD_DEVICE is like', async () => {
    vi.stubEnv('HYPERGRAD_DEVICE', 'hardwear');
    await expect(openDevice()).rejects.toThrow(/Did you mean hardware\? Use one of/);
  });

  it('prefers the caller to the environment variable', async () => {
    vi.stubEnv('HYPERGRAD_DEVICE', 'quantum');
    const device = await openDevice({ choice: 'auto' });
    expect(device.adapter.kind).toMatch(/^(hardware|software)$/);
    device.close();
  });

  it('says in one message what was tried and why each failed', async () => {
    const error = await openDevice({ choice: 'auto', adapterName: 'no such adapter' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DeviceError);
    const { message } = error as DeviceError;
    expect(message).toContain("'no such adapter'");
    for (const tried of ['hardware adapter:', "system's software Vulkan:", 'bundled SwiftShader:']) {
      expect(message).toContain(tried);
    }
    expect(message).toContain('apt install libvulkan1 mesa-vulkan-drivers');
  });

  it('opens two devices asked for at once', async () => {
    const [one, other] = await Promise.all([openDevice(), openDevice()]);
    expect(one.gpu).not.toBe(other.gpu);
    expect(one.adapter).toEqual(other.adapter);
    one.close();
    other.close();
  });

  describe.skipIf(!hasBundledVulkan)('with the bundled SwiftShader (Linux on x64 only)', () => {
    it('opens it by choice, as a bundled software device', async () => {
      const device = await openDevice({ choice: 'bundled' });
      expect(device.adapter).toMatchObject({ kind: 'software', bundled: true });
      expect(device.adapter.name).toMatch(/swiftshader/i);
      expect(device.describe()).toContain('bundled software device');
      device.close();
    });

    it('opens it by a part of its name in any case', async () => {
      const device = await openDevice({ choice: 'bundled', adapterName: 'SwiftShader Device (Subzero' });
      expect(device.adapter.bundled).toBe(true);
      device.close();
    });

    it('leaves the environment as it was, so that a later search sees the system again', async () => {
      vi.stubEnv('VK_DRIVER_FILES', undefined);
      const device = await openDevice({ choice: 'bundled' });
      expect(process.env.VK_DRIVER_FILES).toBeUndefined();
      device.close();
      const again = await openDevice({ choice: 'auto' });
      again.close();
    });
  });
});

describe.skipIf(!hasBundledVulkan)('a process of its own (Linux on x64 only)', () => {
  let built: Bundle;
  let cache: string;

  beforeAll(async () => {
    built = await bundle({ openDevice: 'src/gpu/node/openDevice.ts' });
  });

  afterAll(() => built.remove());

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'hypergrad-cache-'));
  });

  afterEach(() => rm(cache, { recursive: true, force: true }));

  /** Runs a module's text after opening a device; a process that does not end by itself is killed and fails. */
  async function child(text: string, environment: Record<string, string> = {}): Promise<string> {
    const script = join(built.folder, `${Math.random().toString(36).slice(2)}.mjs`);
    await writeFile(
      script,
      `import { openDevice } from ${JSON.stringify(built.entry('openDevice'))};\n` +
        `const device = await openDevice({ choice: 'bundled' });\n${text}\n`,
    );
    const { stdout, stderr } = await run(process.execPath, [script], {
      timeout: 30_000,
      env: { ...process.env, HYPERGRAD_CACHE: cache, ...environment },
    });
    expect(stderr).toBe('');
    return stdout;
  }

  it('two that open at once with an empty cache folder both succeed and leave one unpacked copy', async () => {
    const names = await Promise.all(
      [1, 2].map(() => child('console.log(device.adapter.name); device.close();')),
    );
    for (const name of names) expect(name).toMatch(/swiftshader/i);
    const left = await readdir(cache);
    expect(left).toHaveLength(1);
    expect(left[0]).toMatch(/^swiftshader-[0-9a-f]{16}$/);
  });

  it('does not use a copy that was cut short, and replaces it', async () => {
    await child('device.close();');
    const library = join(cache, (await readdir(cache))[0] ?? '', 'libvk_swiftshader.so');
    const { size } = await stat(library);
    await truncate(library, 1000);
    await child('device.close();');
    expect((await stat(library)).size).toBe(size);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('uses an unpacked copy again without touching it', async () => {
    await child('device.close();');
    const folder = join(cache, (await readdir(cache))[0] ?? '');
    const before = await stat(folder);
    await child('device.close();');
    expect((await stat(folder)).ino).toBe(before.ino);
    expect((await stat(folder)).mtimeMs).toBe(before.mtimeMs);
  });

  it('unpacks under the temporary folder when the cache folder cannot be written', async () => {
    const file = join(cache, 'a file');
    await writeFile(file, '');
    const temporary = join(cache, 'temporary');
    await mkdir(temporary);
    const name = await child('console.log(device.adapter.name); device.close();', {
      HYPERGRAD_CACHE: join(file, 'below'),
      TMPDIR: temporary,
    });
    expect(name).toMatch(/swiftshader/i);
    expect((await readdir(temporary))[0]).toMatch(/^hypergrad-/);
  });

  it('ends by itself after close, having computed', async () => {
    const printed = await child(`
      const buffer = device.acquireBuffer(4, 'b');
      device.write(buffer, new Uint32Array([42]));
      console.log(new Uint32Array(await device.read(buffer, 0, 4))[0]);
      device.close();`);
    expect(printed).toBe('42\n');
  });

  it('ends by itself even when the device is still open and referred to', async () => {
    const printed = await child(`
      globalThis.kept = device;
      globalThis.keptBuffer = device.acquireBuffer(4, 'b');
      device.write(keptBuffer, new Uint32Array([7]));
      console.log(new Uint32Array(await device.read(keptBuffer, 0, 4))[0]);`);
    expect(printed).toBe('7\n');
  });

  it('keeps a device usable through garbage collection with much work in flight', async () => {
    // Collecting Dawn's instance under a live device crashes the process.
    const printed = await child(`
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      const buffer = device.acquireBuffer(4e6, 'b');
      for (let round = 0; round < 20; round++) {
        device.write(buffer, new Float32Array(1e6).fill(round));
        const reading = device.read(buffer, 0, 4e6);
        collect();
        await new Promise((resolve) => setTimeout(resolve, 1));
        collect();
        if (new Float32Array(await reading)[999999] !== round) throw new Error('wrong number');
      }
      console.log('done');
      device.close();`);
    expect(printed).toBe('done\n');
  });

  it('whose device hangs ends with a sentence, after as long as it was told to wait', async () => {
    const printed = await child(
      `const { gpu } = device;
      const code = \`@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(1) fn main() {
          for (var i = 0u; i < 4000000000u; i++) {
            for (var j = 0u; j < 4000000000u; j++) { x[0] = x[0] * 1664525u + 1013904223u; }
          }
        }\`;
      const pipeline = await device.computePipeline(code, 'endless');
      const buffer = device.acquireBuffer(256, 'x');
      const layout = pipeline.getBindGroupLayout(0);
      const group = gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
      device.submit((encoder) => {
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(1);
        pass.end();
      });
      const error = await device.read(buffer, 0, 4).catch((reason) => reason);
      console.log(error.name, error.message);
      device.releaseBuffer(buffer);
      device.close();
      // As the command line does: work that never ends would keep the process.
      process.exit();`,
      { HYPERGRAD_DEVICE_TIMEOUT: '0.5' },
    );
    expect(printed).toMatch(
      /^DeviceTimeoutError The device .* has not answered for 0\.5 s while a buffer was read.*HYPERGRAD_DEVICE_TIMEOUT/,
    );
  });

  it('prints nothing of its own, a validation error neither', async () => {
    const printed = await child(`
      device.gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      console.log(await device.settle().catch((error) => error.name));
      device.close();`);
    expect(printed).toBe('DeviceError\n');
  });
});
