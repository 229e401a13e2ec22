/** The completion scripts in the shells that read them; a shell that is not installed is skipped. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScripts, type Shell } from '../../../src/cli/completion/scripts.js';
import { type Bundle, bundle } from '../../support/bundle.js';

const isMissing = (shell: Shell): boolean => spawnSync(shell, ['-c', 'exit 0']).status !== 0;

let built: Bundle;
let folder = '';
beforeAll(async () => {
  built = await bundle({ cli: 'src/cli/main.ts' });
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-shells-'));
  writeFileSync(
    join(folder, 'hypergrad'),
    `#!/bin/sh\nexec '${process.execPath}' '${built.entry('cli')}' "$@"\n`,
  );
  chmodSync(join(folder, 'hypergrad'), 0o755);
  for (const [shell, script] of Object.entries(completionScripts)) writeFileSync(join(folder, shell), script);
});
afterAll(async () => {
  await built.remove();
  rmSync(folder, { recursive: true });
});

/** The lines that a shell prints. */
function lines(shell: Shell, flags: readonly string[], script: string): string[] {
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  return execFileSync(shell, [...flags, '-c', script], { cwd: folder, env, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

describe.skipIf(isMissing('bash'))('in bash (skipped where it is not installed)', () => {
  const complete = (...words: string[]): string[] =>
    lines(
      'bash',
      ['--norc'],
      `. ./bash; COMP_WORDS=(hypergrad ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
       _hypergrad; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );

  it('completes words, and after an equals sign only what stands behind it', () => {
    expect(complete('run', '--preset', 'tiny')).toEqual(['tiny-test']);
    expect(complete('run', '--set', 'distil.memory', '=', 'm')).toEqual(['mixed']);
    expect(complete('run', 'my')).toEqual([]);
  });
});

describe.skipIf(isMissing('zsh'))('in zsh (skipped where it is not installed)', () => {
  const complete = (...words: string[]): string[] =>
    lines(
      'zsh',
      ['-f'],
      `compdef() { :; }; . ./zsh
       _describe() { print -rl -- $closed $open; }; _files() { print files; }
       words=(hypergrad ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; _hypergrad`,
    );

  it('completes words with their descriptions, and files elsewhere', () => {
    expect(complete('run', '--set', 'distil.pi')).toEqual(['distil.pixels.:The synthetic images.']);
    expect(complete('run', '--preset', 'tiny')[0]).toMatch(/^tiny-test:200 MNIST digits/);
    expect(complete('run', 'my')).toEqual(['files']);
  });
});

describe.skipIf(isMissing('fish'))('in fish (skipped where it is not installed)', () => {
  const complete = (line: string): string[] =>
    lines('fish', ['--no-config'], `source ./fish; complete -C '${line}'`);

  it('completes words with their descriptions, and files elsewhere', () => {
    expect(complete('hypergrad run --preset tiny')[0]).toMatch(/^tiny-test\t200 MNIST digits/);
    expect(complete('hypergrad ru')[0]).toMatch(/^run\t/);
    expect(complete('hypergrad run hyper')).toEqual(['hypergrad']);
  });
});
