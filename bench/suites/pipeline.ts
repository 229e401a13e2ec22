/** A whole run: seconds of each stage. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { type Dataset, loadDataset } from '../../src/pipeline/data/dataset.js';
import { type Progress, silentProgress } from '../../src/pipeline/progress.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { type SuiteContext, subjectOf } from './suite.js';

/** Runs a preset once in a folder of its own, and tells how long each stage took. */
export async function pipelineSuite(context: SuiteContext): Promise<void> {
  const { device, preset, report } = context;
  const config = resolveConfig({ preset, sets: [] });
  const path = await mkdtemp(join(tmpdir(), 'hypergrad-bench-'));
  const subject = subjectOf('pipeline', `preset ${preset}`, context);
  const progress: Progress = {
    ...silentProgress,
    finished: (stage, value) => report([{ ...subject, metric: stage, value, unit: 's' }]),
  };
  const folder = await RunFolder.open(path);
  let dataset: Dataset | undefined;
  try {
    dataset = await loadDataset(config.data, config.seed);
    const start = performance.now();
    await runPipeline({
      config,
      dataset,
      folder,
      device,
      command: `hypergrad run --preset ${preset}`,
      progress,
    });
    report([{ ...subject, metric: 'all stages', value: (performance.now() - start) / 1e3, unit: 's' }]);
  } finally {
    dataset?.close();
    await folder.close();
    await rm(path, { recursive: true });
  }
}
