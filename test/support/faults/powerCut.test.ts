/** A store that does not flush must be found out: otherwise surviving power cuts says nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../bundle.js';
import { cutPower } from './powerCut.js';

let built: Bundle;
let scratch = '';
let folder = '';
let keep = '';

beforeAll(async () => {
  built = await bundle({ journal: 'test/support/faults/journal.ts' });
});
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-power-'));
  folder = join(scratch, 'run');
  keep = join(scratch, 'keep');
  mkdirSync(folder);
  mkdirSync(keep);
  writeFileSync(join(folder, 'old'), 'old');
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));
afterAll(() => built.remove());

/** Does something in a watched process of its own, which a kill ends. */
function watched(body: string): void {
  const script = join(built.folder, 'watched.mjs');
  writeFileSync(
    script,
    `import { watchChanges } from ${JSON.stringify(built.entry('journal'))};
    await watchChanges({ folder: ${JSON.stringify(folder)}, keep: ${JSON.stringify(keep)}, momentOf: () => null });
    const { appendFile, open, rename, writeFile } = await import('node:fs/promises');
    process.chdir(${JSON.stringify(folder)});
    ${body}
    process.kill(process.pid, 'SIGKILL');`,
  );
  expect(() => execFileSync(process.execPath, [script], { stdio: 'ignore' })).toThrow();
}
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
/** All that may be lost is lost; bytes go, or become zeros. */
const loseAll = (): number => 0;
const loseAllAsMissing = (): (() => number) => {
  let calls = 0;
  return () => (calls++ % 2 === 0 ? 0 : 0.9);
};

describe('a power cut', () => {
  it('takes bytes that were renamed into place before they were flushed, and undoes the rename', () => {
    watched("await writeFile('new', 'new'); await rename('new', 'old');");
    expect(text('old')).toBe('new');
    cutPower(folder, keep, loseAll);
    expect(text('old')).toBe('old');
  });

  it('may keep the name and take the bytes', () => {
    watched("await writeFile('new', 'new'); await rename('new', 'old');");
    let calls = 0;
    // First how many bytes stay and what the others become, then how many names stay.
    cutPower(folder, keep, () => [0, 0.9, 0.999][calls++]!);
    expect(text('old')).toBe('');
  });

  it('leaves what was flushed, with every name before it', () => {
    watched(`await writeFile('new', 'new', { flush: true }); await rename('new', 'old');
      const file = await open('other', 'w'); await file.writeFile('other'); await file.sync(); await file.close();`);
    cutPower(folder, keep, loseAll);
    expect([text('old'), text('other')]).toEqual(['new', 'other']);
  });

  it('takes only what was appended since the last flush', () => {
    watched("await appendFile('old', ' kept', { flush: true }); await appendFile('old', ' lost');");
    expect(text('old')).toBe('old kept lost');
    cutPower(folder, keep, loseAllAsMissing());
    expect(text('old')).toBe('old kept');
  });

  it('turns bytes to zeros', () => {
    watched("await appendFile('old', ' lost');");
    cutPower(folder, keep, loseAll);
    expect(text('old')).toBe(`old${'\0'.repeat(5)}`);
  });

  it('undoes a folder that nothing has flushed', () => {
    watched("await (await import('node:fs/promises')).mkdir('made');");
    expect(existsSync(join(folder, 'made'))).toBe(true);
    cutPower(folder, keep, loseAll);
    expect(existsSync(join(folder, 'made'))).toBe(false);
  });
});
