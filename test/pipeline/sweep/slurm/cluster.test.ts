/** A short sweep on a real SLURM of two nodes; `npm run test:cluster` has a long one on four, where much more goes wrong. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, until } from '../../../cluster/cluster.js';
import { type Hypergrad, hypergradAt } from '../../../cluster/commandLine.js';
import { killProcess } from '../../../cluster/processes.js';
import { missingForCluster } from '../../../cluster/programs.js';
import {
  artefactsOf,
  graphOf,
  jobCalled,
  statusOf,
  submit,
  timesDone,
  untilIdle,
} from '../../../cluster/sweeps.js';
import { type Bundle, bundle } from '../../../support/bundle.js';

const SWEEP = `preset: tiny-test
config:
  data: { train: 100, test: 50 }
  experts: { count: 2 }
  evaluate: { seeds: 1, rows: [mkdt], batch: 5, labels: [0.2] }
seeds: [1]
`;
const PATIENCE = 60;

const missing = missingForCluster();

describe.skipIf(missing !== null)(`a short sweep on SLURM${missing === null ? '' : ` (${missing})`}`, () => {
  let built: Bundle;
  let scratch = '';
  let cluster: Cluster;
  let hypergrad: Hypergrad;
  const at = (name: string): string => join(scratch, name);

  beforeAll(async () => {
    built = await bundle({ cli: 'src/cli/main.ts' });
    scratch = mkdtempSync(join(tmpdir(), 'hypergrad-cluster-'));
    writeFileSync(at('sweep.yaml'), SWEEP);
    cluster = await Cluster.start({ nodes: 2 });
    hypergrad = hypergradAt(built.entry('cli'), cluster.environment);
  });
  afterAll(async () => {
    await cluster?.stop();
    await built?.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('ends with the bits of one worker after a kill, and does nothing twice', async () => {
    const alone = await hypergrad(
      'sweep',
      at('sweep.yaml'),
      '--out',
      at('alone'),
      '--workers',
      '1',
      '--quiet',
    );
    expect(alone.code, alone.stderr).toBe(0);
    // What is there already is not submitted.
    const sweep = at('cluster');
    const { jobs } = graphOf(at('alone'));
    const there = jobs.filter(({ kind }) => kind === 'teacher' || kind === 'targets');
    for (const { hash } of there)
      cpSync(join(at('alone'), 'jobs', hash), join(sweep, 'jobs', hash), { recursive: true });

    expect(await submit(hypergrad, at('sweep.yaml'), sweep)).toBe(jobs.length - there.length);
    await until('A task runs', async () => cluster.tasks().length > 0, { seconds: PATIENCE });
    expect(killProcess(cluster.tasks()[0]!.process)).toBe(true);
    await untilIdle(cluster, PATIENCE);
    const { counts, jobs: states } = await statusOf(hypergrad, sweep);
    // Both experts began at once, and one was killed; all behind the subset wait for it.
    expect(counts).toEqual({
      done: there.length + 1,
      failed: 1,
      blocked: jobs.length - there.length - 2,
      running: 0,
      waiting: 0,
    });
    expect(states.find(({ state }) => state === 'failed')).toMatchObject({ job: { kind: 'expert' } });

    expect(await submit(hypergrad, at('sweep.yaml'), sweep)).toBe(jobs.length - there.length - 1);
    await untilIdle(cluster, PATIENCE);
    expect(artefactsOf(sweep)).toEqual(artefactsOf(at('alone')));
    expect([...timesDone(sweep).values()]).toEqual(jobs.slice(there.length).map(() => 1));
    const { hash } = jobCalled(sweep, 'report');
    expect(readFileSync(join(sweep, 'logs', `${hash}.log`), 'utf8')).toMatch(/Done in/);
  });
});
