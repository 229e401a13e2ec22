/** One folder and many processes: who comes second is told who was first, and an owner that was killed holds nobody up. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.js';
import type { ContenderMessage } from '../support/faults/contender.js';
import { countFaults } from '../support/faults/counts.js';
import { type ChainOptions, runUndisturbed, startVictim } from '../support/faults/killChain.js';
import { folderContents } from '../support/folderContents.js';

/** Processes that want the same folder at once, and how often. */
const CONTENDERS = 4;
const ROUNDS = 20;
/** Seconds within which a folder whose owner was killed is open again; a lock of unknown owner is waited for longer. */
const AT_ONCE = 5;

let built: Bundle;
let scratch = '';

beforeAll(async () => {
  built = await bundle({
    victim: 'test/support/faults/victim.ts',
    contender: 'test/support/faults/contender.ts',
    cli: 'src/cli/main.ts',
  });
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-locks-'));
});
afterAll(async () => {
  await built.remove();
  rmSync(scratch, { recursive: true, force: true });
});

const optionsOf = (name: string): ChainOptions => ({
  script: built.entry('victim'),
  run: { preset: 'tiny-test', sets: [], checkpointSeconds: 0 },
  folder: join(scratch, name),
});

interface Contender {
  readonly process: ChildProcess;
  readonly answer: Promise<ContenderMessage>;
  begin(): void;
  /** Lets go of the folder, and waits until the process is gone. */
  letGo(): Promise<void>;
}

function contender(folder: string): Contender {
  const child = fork(built.entry('contender'), [folder], { execArgv: [] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    process: child,
    answer: new Promise((resolve, reject) => {
      child.once('message', (message: ContenderMessage) => resolve(message));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`The contender ended with code ${code}.`)));
    }),
    begin: () => child.send('begin'),
    async letGo() {
      if (child.connected) child.send('let go');
      await gone;
    },
  };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** The command on a folder, in a process of its own: its exit code and what it says on stderr. */
async function command(folder: string): Promise<{ readonly code: number | null; readonly errors: string }> {
  const child = fork(built.entry('cli'), ['run', '--preset', 'tiny-test', '--out', folder], {
    execArgv: [],
    silent: true,
  });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, errors };
}

describe('two processes on one folder', () => {
  it('the second is told who holds it, in every stage, and the first ends as if it were alone', async (context) => {
    await runUndisturbed(optionsOf('alone'));
    const options = optionsOf('shared');
    const refusals: Promise<{ readonly code: number | null; readonly errors: string }>[] = [];
    const first = startVictim(options, (place) => {
      if (place !== 'opening') refusals.push(command(options.folder));
    });
    expect(await first.ended).toMatchObject({ wasKilled: false });
    const told = await Promise.all(refusals);
    const refused = told.filter(({ code }) => code !== 0);
    for (const { code, errors } of refused) {
      expect(code).toBe(6);
      expect(errors).toMatch(/hypergrad: The run folder .*shared is in use by/);
      expect(errors).toContain(String(first.process.pid));
    }
    // Whoever came when the report was being written may have found the folder free.
    expect(refused.length).toBeGreaterThanOrEqual(told.length - 2);
    expect(folderContents(options.folder)).toEqual(folderContents(join(scratch, 'alone')));
    countFaults(context, 'locks', { 'second process refused': refused.length });
  });

  it(`of ${CONTENDERS} that come at once one gets the folder, and the others are told`, async (context) => {
    for (let round = 0; round < ROUNDS; round++) {
      const folder = join(scratch, `contended-${round % 2}`);
      const contenders = Array.from({ length: CONTENDERS }, () => contender(folder));
      for (const each of contenders) each.begin();
      const answers = await Promise.all(contenders.map(({ answer }) => answer));
      const holders = contenders.filter((_, k) => answers[k] === 'held');
      expect(holders, `round ${round}: ${JSON.stringify(answers)}`).toHaveLength(1);
      for (const answer of answers) {
        if (answer !== 'held') expect(answer.refused).toContain('is in use by');
      }
      // Every other round the holder is killed, so that the next ones on its folder find a dead owner's lock.
      if (round % 4 < 2) await killed(holders[0]!.process);
      await Promise.all(contenders.map((each) => each.letGo()));
    }
    countFaults(context, 'locks', { 'contended folder': ROUNDS });
  });
});

describe('a lock whose owner was killed', () => {
  it('is recognised at once', async (context) => {
    const folder = join(scratch, 'orphaned');
    for (let round = 0; round < ROUNDS; round++) {
      const owner = contender(folder);
      owner.begin();
      const since = performance.now();
      expect(await owner.answer).toBe('held');
      expect((performance.now() - since) / 1000).toBeLessThan(AT_ONCE);
      await killed(owner.process);
    }
    countFaults(context, 'locks', { 'owner killed': ROUNDS });
  });

  it('does not hold up the same command on its run', async (context) => {
    const options = optionsOf('resumed');
    const first = startVictim(options, (place) => {
      if (place === 'distil') first.process.kill('SIGKILL');
    });
    expect(await first.ended).toMatchObject({ wasKilled: true, place: 'distil' });
    expect((await command(options.folder)).code).toBe(0);
    countFaults(context, 'locks', { 'owner killed': 1 });
  });
});
