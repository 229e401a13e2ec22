import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candidates, rejoinWords } from '../../../src/cli/completion/candidates.js';
import { createProgram } from '../../../src/cli/program.js';
import { fieldPaths } from '../../../src/pipeline/config/layers.js';
import { presetNames } from '../../../src/pipeline/config/resolve.js';

/** Candidates for a line whose last word is typed up to its end; a space at the end begins a new word. */
const complete = (line: string) => candidates(createProgram(), line.split(' ')).map(({ value }) => value);

describe('candidates', () => {
  it.each([
    ['', ['run', 'study', 'help']],
    ['st', ['study']],
    ['study ', ['variance', 'horizon']],
    ['run --pre', ['--preset']],
    ['run --dev', ['--device']],
    ['run --q', ['--quiet']],
    ['--quiet ev', ['evaluate']],
    ['run --preset tiny', ['tiny-test']],
    ['run --preset=tiny', ['--preset=tiny-test']],
    ['run --device s', ['software']],
    ['run --force ', ['teacher', 'distil']],
    ['gradcheck --optimiser ', ['sgd', 'momentum']],
    ['completion ', ['bash', 'zsh', 'fish']],
  ])('of %j are among others %j', (line, some) => {
    expect(complete(line)).toEqual(expect.arrayContaining(some));
  });

  it('are every preset after --preset', () => {
    expect(complete('tune --preset ')).toEqual(presetNames);
  });

  it('are the groups of the configuration, their fields, and the values of these', () => {
    expect(complete('run --set ')).toEqual(expect.arrayContaining(['seed=', 'data.', 'distil.']));
    expect(complete('run --set distil.pi')).toEqual(['distil.pixels.']);
    expect(complete('run --set distil.pixels.')).toEqual([
      'distil.pixels.optimiser=',
      'distil.pixels.learningRate=',
    ]);
    expect(complete('run --set distil.memory=')).toEqual([
      'distil.memory=recompute',
      'distil.memory=full',
      'distil.memory=mixed',
    ]);
    expect(complete('run --set distil.steps=')).toEqual([]);
    expect(complete('run --set __proto__=')).toEqual([]);
  });

  it('lead to every field, part by part', () => {
    for (const path of fieldPaths) {
      const parts = path.split('.');
      for (let count = 0; count < parts.length; count++) {
        const typed = parts.slice(0, count).map((part) => `${part}.`);
        const next = `${typed.join('')}${parts[count]}${count + 1 < parts.length ? '.' : '='}`;
        expect(complete(`run --set ${typed.join('')}`)).toContain(next);
      }
    }
  });

  it('are not options that are given already, but for those that may be given again', () => {
    expect(complete('run --preset tiny-test --set seed=2 --')).not.toContain('--preset');
    expect(complete('run --preset tiny-test --set seed=2 --')).toContain('--set');
  });

  it('are none where files stand, or nothing fits', () => {
    for (const line of ['run my', 'run --data ', 'data ', 'run -- --p']) expect(complete(line)).toEqual([]);
    expect(complete('run --preset zzz')).toEqual([]);
    expect(complete('run my.yaml --set')).toEqual(['--set']);
  });

  it('take the value of an option for no command', () => {
    expect(complete('run --out study ')).toEqual([]);
    expect(complete('run --profile --js')).toEqual(['--json']);
  });
});

describe('candidates for runs', () => {
  const before = process.cwd();
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hypergrad-completion-'));
    for (const run of ['runs/first', 'runs/second', 'other/third', 'near']) {
      mkdirSync(join(folder, run), { recursive: true });
      writeFileSync(join(folder, run, 'manifest.json'), '{}');
    }
    mkdirSync(join(folder, 'runs/none'));
    mkdirSync(join(folder, 'sweeps/one'), { recursive: true });
    writeFileSync(join(folder, 'sweeps/one/sweep.json'), '{}');
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  it('are the folders that hold one, in runs/ and beside what is typed', () => {
    expect(complete('compare ')).toEqual(['runs/first', 'runs/second', 'near']);
    expect(complete('compare runs/first runs/s')).toEqual(['runs/second']);
    expect(complete('evaluate other/')).toEqual(['other/third']);
    expect(complete('study variance --run r')).toEqual(['runs/first', 'runs/second']);
    expect(complete(`compare ${folder}/other/t`)).toEqual([`${folder}/other/third`]);
  });

  it('are sweeps where these are meant', () => {
    expect(complete('status ')).toEqual(['sweeps/one']);
    expect(complete('job teacher --sweep s')).toEqual(['sweeps/one']);
    for (const command of ['sweep', 'plan']) {
      expect(complete(`${command} --out `)).toEqual(['sweeps/one']);
      expect(complete(`${command} --out=s`)).toEqual(['--out=sweeps/one']);
    }
    expect(complete('run --out r')).toEqual(['runs/first', 'runs/second']);
  });

  it('are none in a folder that is not there', () => {
    expect(complete('compare nowhere/')).toEqual([]);
  });
});

it('puts together what bash takes apart at equals signs', () => {
  expect(rejoinWords(['run', '--set', 'distil.memory', '=', 'fu'])).toEqual([
    'run',
    '--set',
    'distil.memory=fu',
  ]);
  expect(rejoinWords(['--set', 'seed', '='])).toEqual(['--set', 'seed=']);
  expect(rejoinWords(['--preset', '=', 'a', '--set', ''])).toEqual(['--preset=a', '--set', '']);
  expect(rejoinWords([''])).toEqual(['']);
});
