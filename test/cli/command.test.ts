/** The command as users run it: a process of its own, with its exit code and what it prints. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.js';
import { folderContents } from '../support/folderContents.js';
import { reluCase } from '../support/reluCase.js';
import { type Ended, NO_HARDWARE, startCommand } from '../support/startCommand.js';

let built: Bundle;
/** Working directory of the commands. */
let folder: string;

beforeAll(async () => {
  built = await bundle({ cli: 'src/cli/main.ts' });
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-command-'));
});
afterAll(async () => {
  await built.remove();
  rmSync(folder, { recursive: true });
});

const hypergrad = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  startCommand(built.entry('cli'), args, { cwd: folder, env }).ended;

/** The last line of stderr is the error: one line, and no stack. */
function expectOneSentence({ stderr }: Ended, ...parts: string[]): void {
  expect(stderr).not.toMatch(/^ {4}at /m);
  const told = stderr.split('\n').filter((line) => line.startsWith('hypergrad: '));
  expect(told).toHaveLength(1);
  expect(stderr.endsWith(`${told[0]}\n`)).toBe(true);
  for (const part of parts) expect(told[0]).toContain(part);
}

const hidesHardware = process.platform === 'linux';

describe('what does not fit', () => {
  it.each([
    ['an unknown preset', ['--preset', 'mnist-smal'], '"mnist-smal"', 'mnist-small'],
    ['an unknown field', ['--preset', 'tiny-test', '--set', 'distil.step=3'], 'distil.step', 'distil.steps'],
    [
      'a value out of range',
      ['--preset', 'tiny-test', '--set', 'distil.steps=0'],
      'distil.steps = 0',
      '--set',
    ],
    ['a seed that is no number', ['--preset', 'tiny-test', '--seed', 'abc'], '--seed "abc"', 'whole number'],
    ['a missing configuration file', ['no/such.yaml'], 'no/such.yaml', 'does not exist'],
    ['an unknown option', ['--sede', '1'], '--sede', '--seed'],
    ['an unknown device', ['--device', 'gpu'], "'gpu'", 'hardware'],
  ])('%s ends with code 2 before a folder is made', async (_, args, ...parts) => {
    const ended = await hypergrad(['run', ...args, '--out', 'untouched/run']);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expectOneSentence(ended, ...parts);
    expect(existsSync(join(folder, 'untouched'))).toBe(false);
  });

  it('an unknown value of HYPERGRAD_DEVICE ends with code 2', async () => {
    const ended = await hypergrad(['run', '--preset', 'tiny-test'], { HYPERGRAD_DEVICE: 'gpu' });
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expectOneSentence(ended, "'gpu'", 'HYPERGRAD_DEVICE');
  });

  it('no folder of data for cifar10 ends with code 5', async () => {
    const ended = await hypergrad(['run', '--preset', 'cifar10-small', '--out', 'cifar10']);
    expect(ended.code).toBe(5);
    expectOneSentence(ended, 'cifar10', '--data DIR');
  });

  it('a folder of data that does not exist ends with code 5', async () => {
    const args = ['run', '--preset', 'cifar10-small', '--data', 'no-such-folder', '--out', 'cifar10'];
    const ended = await hypergrad(args);
    expect(ended.code).toBe(5);
    expectOneSentence(ended, 'no-such-folder does not exist', '--data DIR');
  });

  it('a folder for the run below a regular file ends with code 6', async () => {
    writeFileSync(join(folder, 'file'), '');
    const ended = await hypergrad(['run', '--preset', 'tiny-test', '--out', 'file/run']);
    expect(ended.code).toBe(6);
    expectOneSentence(ended, 'file/run', '--out DIR');
  });

  it.skipIf(!hidesHardware)(
    'no GPU with HYPERGRAD_DEVICE=hardware ends with code 3 (Linux only)',
    async () => {
      const ended = await hypergrad(['run', '--preset', 'tiny-test', '--out', 'untouched/run'], NO_HARDWARE);
      expect(ended).toMatchObject({ code: 3, stdout: '' });
      expectOneSentence(ended, 'No WebGPU device can be opened', 'driver');
      expect(existsSync(join(folder, 'untouched'))).toBe(false);
    },
  );

  it('shows the stack with --debug or HYPERGRAD_DEBUG', async () => {
    const args = ['run', 'no/such.yaml'];
    for (const ended of [
      await hypergrad([...args, '--debug']),
      await hypergrad(args, { HYPERGRAD_DEBUG: '1' }),
    ]) {
      expect(ended.code).toBe(2);
      expect(ended.stderr).toMatch(/^hypergrad: .*no\/such\.yaml/);
      expect(ended.stderr).toMatch(/^ {4}at /m);
    }
  });
});

it('is quiet when nobody reads on', async () => {
  const child = spawn(process.execPath, [built.entry('cli'), '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

describe('hypergrad run', () => {
  const out = 'finished';
  it('prints one JSON result on stdout with --json, and all else on stderr', async () => {
    const { code, stdout, stderr } = await hypergrad([
      'run',
      '--preset',
      'tiny-test',
      '--out',
      out,
      '--json',
    ]);
    expect(stderr).not.toContain('hypergrad: ');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ dataset: 'mnist' });
    expect(stderr).toMatch(/^.+, (bundled software|software|hardware) device, buffers up to /);
    expect(stderr).toMatch(/^distil: 4 \w+ done in /m);
    expect(existsSync(join(folder, out, 'report.html'))).toBe(true);
  });

  it.skipIf(process.platform === 'win32')(
    'ends with code 130 after Ctrl-C, keeps what is done, and goes on when it is given again (POSIX only: signals)',
    async () => {
      const args = ['run', '--preset', 'tiny-test', '--set', 'distil.iterations=400', '--out', 'broken-off'];
      let isTold = false;
      const { code, stderr } = await startCommand(built.entry('cli'), args, {
        cwd: folder,
        onLine(line, child) {
          if (isTold || !line.startsWith('distil:')) return;
          isTold = true;
          child.kill('SIGINT');
        },
      }).ended;
      expect(stderr).toContain('Stopping after this step');
      expect(stderr).toMatch(/hypergrad: Stopped in the stage distil, as asked.*same command again/);
      expect(code).toBe(130);
      expect(existsSync(join(folder, 'broken-off', 'checkpoint-distil.safetensors'))).toBe(true);

      const again = await hypergrad(args);
      expect(again.code).toBe(0);
      expect(again.stderr).toContain('subset: unchanged, skipped\n');
      expect(existsSync(join(folder, 'broken-off', 'checkpoint-distil.safetensors'))).toBe(false);
      const events = readFileSync(join(folder, 'broken-off', 'events.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { stage: string; iteration: number });
      const iterations = events.filter(({ stage }) => stage === 'distil').map(({ iteration }) => iteration);
      expect(iterations).toEqual([...Array(400).keys()]);
    },
  );

  it('tells table, trajectory loss and report of a run that is all there already', async () => {
    const { code, stdout, stderr } = await hypergrad(['run', '--preset', 'tiny-test', '--out', out]);
    expect(code).toBe(0);
    expect(stderr).toContain('teacher: unchanged, skipped\n');
    expect(stdout).toMatch(/^encoder +5 % of labels +20 % of labels$/m);
    expect(stdout).toMatch(/^MKDT( +\d+\.\d ± \d+\.\d){2}$/m);
    expect(stdout).toMatch(/^Trajectory loss \S+ → \S+/m);
    expect(stdout).toMatch(/^Report: finished\/report\.html\n$/m);
  });

  it.skipIf(!hidesHardware)('leaves an earlier run as it is when it cannot begin (Linux only)', async () => {
    const before = folderContents(join(folder, out), true);
    expect(Object.keys(before).length).toBeGreaterThan(2);
    const codes = [
      await hypergrad(['run', '--preset', 'tiny-test', '--out', out, '--set', 'distil.steps=0']),
      await hypergrad(['run', '--preset', 'cifar10-small', '--out', out, '--data', 'no-such-folder']),
      await hypergrad(['run', '--preset', 'tiny-test', '--out', out, '--seed', '2'], NO_HARDWARE),
    ].map(({ code }) => code);
    expect(codes).toEqual([2, 5, 3]);
    expect(folderContents(join(folder, out), true)).toEqual(before);
  });
});

describe('hypergrad verify', () => {
  beforeAll(() => {
    for (const [name, bytes] of [
      ['fits', reluCase()],
      ['changed', reluCase({ changed: { name: 'out.d_x', value: 0.75 } })],
      ['short', reluCase().subarray(0, -4)],
    ] as const) {
      writeFileSync(join(folder, `${name}.safetensors`), bytes);
    }
  });

  const verify = (...args: string[]) => hypergrad(['verify', ...args]);
  const aDevice = /^.+, (bundled software|software|hardware) device, buffers up to .+\n$/;

  it('ends with code 0 when all pass: the device on stderr, a line a case and the counts on stdout', async () => {
    const { code, stdout, stderr } = await verify('fits.safetensors');
    expect(code).toBe(0);
    expect(stderr).toMatch(aDevice);
    expect(stdout).toMatch(
      /^ok {3}fits {2}worst \w+ error \d\.\de[+-]\d\d allowed \d\.\de[+-]\d\d\n1 passed, 0 failed\n$/,
    );
  });

  it('ends with code 1 when one fails', async () => {
    const { code, stdout } = await verify('changed.safetensors', 'fits.safetensors');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL changed {2}worst d_x error 2\.5e-01 allowed \d\.\de-\d\d$/m);
    expect(stdout.endsWith('1 passed, 1 failed\n')).toBe(true);
  });

  it('ends with code 5 when one is cut short, and still replays the others', async () => {
    const { code, stdout, stderr } = await verify(
      'short.safetensors',
      'changed.safetensors',
      'fits.safetensors',
    );
    expect(code).toBe(5);
    expect(stdout).toMatch(/^FAIL short\.safetensors {2}short\.safetensors: .*cut short/m);
    expect(stdout.endsWith('1 passed, 2 failed\n')).toBe(true);
    expect(stderr).toMatch(aDevice);
  });

  it('ends with code 2 for a path that does not exist', async () => {
    const ended = await verify('fits.safetensors', 'no/such/folder');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expectOneSentence(ended, 'no/such/folder does not exist');
  });

  it('prints the numbers as a JSON array with --json, with the same exit code', async () => {
    const { code, stdout } = await verify('fits.safetensors', 'changed.safetensors', '--json');
    expect(code).toBe(1);
    const results = JSON.parse(stdout) as {
      measured: { output: string; error: number; allowed: number }[];
    }[];
    expect(results).toMatchObject([
      { name: 'fits', passed: true, readable: true },
      { name: 'changed', passed: false, readable: true },
    ]);
    expect(results[1]?.measured.find(({ output }) => output === 'd_x')?.error).toBeCloseTo(0.25, 5);
  });
});

it('a process of a sweep whose command is gone before it listens ends without a word', async () => {
  const child = fork(built.entry('cli'), ['work', 'sweeps/gone'], {
    cwd: folder,
    silent: true,
    execArgv: [],
  });
  const said = Promise.all([text(child.stdout!), text(child.stderr!)]);
  const ended = once(child, 'exit');
  child.disconnect();
  expect(await ended).toEqual([130, null]);
  expect(await said).toEqual(['', '']);
});
