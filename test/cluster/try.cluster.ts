import { it } from 'vitest';
import { startCluster } from './cluster.js';

it('works', async () => {
  const t = performance.now();
  const c = await startCluster({ nodes: 4 });
  const log = (...a: unknown[]) => console.log(((performance.now() - t) / 1000).toFixed(1), ...a);
  try {
    log('up');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(
      '/tmp/cluster-a.sh',
      '#!/bin/sh\n#SBATCH --array=0-4\n#SBATCH --requeue\n#SBATCH --output=/tmp/cluster-%a.log --open-mode=append\necho begin $SLURM_ARRAY_TASK_ID $SLURM_RESTART_COUNT; trap "echo TERM; exit 3" TERM; exec sleep 6\n',
    );
    log(await c.ask('sbatch', ['--parsable', '/tmp/cluster-a.sh']));
    log(
      await c.ask('sbatch', [
        '--parsable',
        '--dependency=afterok:1',
        '--kill-on-invalid-dep=yes',
        '/tmp/cluster-a.sh',
      ]),
    );
    const q = async () =>
      log(
        '\n' +
          (await c.ask('squeue', [
            '--me',
            '--array',
            '--noheader',
            '--states=all',
            '--format=%F|%K|%j|%T|%M|%L|%N|%E|%r',
          ])),
      );
    await new Promise((r) => setTimeout(r, 1500));
    await q();
    log(c.tasks());
    await c.loseNode('n2', 'everything');
    log('lost');
    for (let i = 0; i < 13; i++) {
      await new Promise((r) => setTimeout(r, 2000));
      await q();
      log(c.tasks());
      if (i == 3 && c.tasks()[0]) {
        process.kill(c.tasks()[0]!.process, 'SIGKILL');
        log('killed');
      }
      if (i == 9) {
        await c.bringBack('n2');
        log('back');
        await q();
      }
    }
  } finally {
    await c.stop();
    log('stopped');
  }
}, 100000);
