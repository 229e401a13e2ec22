import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** Runs an example as `npm run example NAME` does. */
const runExample = (...args: string[]) => run(process.execPath, ['examples/dist/main.js', ...args]);

/** The numbers behind the first words of a line. */
function numbersBehind(output: string, words: string): number[] {
  const line = output.split('\n').find((each) => each.startsWith(words));
  expect(line, `a line that begins with '${words}' in:\n${output}`).toBeDefined();
  return line!
    .slice(words.length)
    .match(/\d+(\.\d+)?/g)!
    .map(Number);
}

beforeAll(async () => {
  await build({ configFile: 'examples/vite.config.ts', logLevel: 'warn' });
});

describe('the examples', () => {
  it('learn hyperparameters that leave less validation and test loss than the best constant ones', async () => {
    const { stdout } = await runExample('hyperparameters');
    const start = numbersBehind(stdout, 'at the start').slice(-2);
    const best = numbersBehind(stdout, 'best constant').slice(-2);
    const learnt = numbersBehind(stdout, 'learnt  ');
    expect(learnt).toHaveLength(2);
    learnt.forEach((loss, k) => {
      expect(best[k]).toBeLessThanOrEqual(start[k]!);
      expect(loss).toBeLessThan(0.98 * best[k]!);
    });
  });

  it('learn a start from which a few steps fit a new task far better than random ones at any rate', async () => {
    const { stdout } = await runExample('initialisation');
    const random = [0.005, 0.01, 0.02, 0.04].map(
      (rate) => numbersBehind(stdout, `random start, rate ${rate} `).at(-1)!,
    );
    const learnt = numbersBehind(stdout, 'learnt start, rate 0.02');
    expect(learnt.at(-1)!).toBeLessThan(0.5 * Math.min(...random));
    // It is the steps that fit the task: the start alone knows nothing of it.
    expect(learnt.at(-1)!).toBeLessThan(0.5 * learnt[0]!);
  });

  it('learn which labels are wrong, and train better for it than with all labels or with the clean ones alone', async () => {
    const { stdout } = await runExample('reweighting');
    const [all] = numbersBehind(stdout, 'all 1000 labels trusted alike');
    const [clean] = numbersBehind(stdout, 'the 100 clean digits alone');
    const [learnt] = numbersBehind(stdout, 'learnt weights');
    expect(learnt).toBeGreaterThan(all! + 5);
    expect(learnt).toBeGreaterThan(clean!);
    const [ofWrong, ofRight] = numbersBehind(stdout, 'mean weight of a wrong label');
    expect(ofWrong).toBeLessThan(0.5 * ofRight!);
  });

  it('are listed where none is named, and each is in the list and in examples/README.md', async () => {
    const refused = await runExample('another').catch((error: { code: number; stderr: string }) => error);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("There is no example 'another'"),
    });
    const readme = await readFile('examples/README.md', 'utf8');
    const files = await readdir('examples');
    const helpers = ['main.ts', 'outerAdam.ts', 'vite.config.ts'];
    for (const file of files.filter((each) => each.endsWith('.ts') && !helpers.includes(each))) {
      const command = `npm run example ${file.replace(/\.ts$/, '')}`;
      expect(refused.stderr).toContain(command);
      expect(readme).toContain(command);
    }
  });
});
