/** `hypergrad watch` beside a run of another process. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../../support/bundle.js';
import { startCommand } from '../../support/startCommand.js';

let built: Bundle;
let folder = '';
beforeAll(async () => {
  built = await bundle({ cli: 'src/cli/main.ts' });
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-watch-'));
});
afterAll(async () => {
  await built.remove();
  rmSync(folder, { recursive: true, force: true });
});

const start = (...args: string[]) => startCommand(built.entry('cli'), args, { cwd: folder });

/** A run of every stage, of which the distillation takes a while. */
const tiny = (out: string, iterations: number) => [
  ...['run', '--preset', 'tiny-test', '--out', out, '--quiet', '--set', `distil.iterations=${iterations}`],
  ...['--set', 'evaluate.seeds=1', '--set', 'evaluate.rows=[mkdt]'],
];
const begun = (out: string) =>
  expect.poll(() => existsSync(join(folder, out, 'config.yaml')), { timeout: 60_000 }).toBe(true);

describe('hypergrad watch', () => {
  it('follows a run of another process to its end, and ends as it does', async () => {
    const run = start(...tiny('a', 60));
    await begun('a');
    const watch = start('watch', 'a', '--interval', '0.2');
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await watch.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^a: finished$/m);
    expect(stdout).toMatch(/^✓ distil {4}60 iterations, loss /m);
    expect(stdout).toMatch(/^Finished\. Report: a\/report\.html$/m);
    expect(stdout).not.toContain('\u001b');
    expect(existsSync(join(folder, 'a', '.progress.json'))).toBe(false);
  });

  it.skipIf(process.platform === 'win32')(
    'ends with 130 after a run that was stopped, and with 1 after one that was killed (POSIX only: signals)',
    async () => {
      for (const [out, signal, code, sentence] of [
        ['stopped', 'SIGINT', 130, /Stopped \(exit code 130\): Stopped in the stage \w+, as asked/],
        ['killed', 'SIGKILL', 1, /Stopped \(exit code 1\): .*nobody works on it/],
      ] as const) {
        const run = start(...tiny(out, 100_000));
        await begun(out);
        const watch = start('watch', out, '--interval', '0.2');
        setTimeout(() => run.child.kill(signal), 2000);
        await run.ended;
        const ended = await watch.ended;
        expect(ended.code).toBe(code);
        expect(ended.stdout).toMatch(sentence);
        expect(ended.stdout).toContain('To go on: hypergrad run --preset tiny-test');
      }
    },
  );

  it('answers once in JSON, and refuses a folder without a run', async () => {
    const { code, stdout } = await start('watch', 'a', '--json').ended;
    expect(code).toBe(0);
    const seen = JSON.parse(stdout) as { state: string; curve: { losses: number[] }; images: unknown };
    expect(seen).toMatchObject({ state: 'finished', exitCode: 0, images: { count: 10, image: [1, 7, 7] } });
    expect(seen.curve.losses.length).toBeLessThanOrEqual(200);
    expect(await start('watch', 'nowhere').ended).toMatchObject({ code: 6, stdout: '' });
    expect(await start('watch', 'a', '--interval', '0').ended).toMatchObject({ code: 2, stdout: '' });
  });
});
