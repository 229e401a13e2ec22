/** A distillation that goes on for a given time, watched. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InterruptedError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../src/pipeline/progress.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import type { Sample } from './samples.js';

/** What is distilled, and for how long. */
export interface SoakOptions {
  readonly device: Device;
  readonly folder: string;
  readonly preset: string;
  /** Settings over the preset's; the iterations are as many as the time allows. */
  readonly sets: readonly string[];
  /** Seconds of distillation. */
  readonly seconds: number;
  readonly sampleSeconds: number;
  readonly checkpointSeconds: number;
  /** Told of each sample. */
  readonly sampled?: (sample: Sample) => void;
}

/** More iterations than any soak gets to. */
const ENDLESS = 1_000_000;

/** What `--expose-gc` gives, without asking for it where the process is started. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Distils for so many seconds, and gives what was seen. The stages before it run first and are not watched. */
export async function soak(options: SoakOptions): Promise<Sample[]> {
  const { device, preset, sets, seconds, sampleSeconds, checkpointSeconds, sampled } = options;
  const collect = garbageCollector();
  const config = resolveConfig({ preset, sets: [...sets, `distil.iterations=${ENDLESS}`], seed: 1 });
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(options.folder);
  const controller = new AbortController();
  const samples: Sample[] = [];
  let begin = 0;
  let processor = process.cpuUsage();
  let next = 0;
  const look = (iterations: number): void => {
    const now = (performance.now() - begin) / 1000;
    if (now >= next) {
      collect();
      const { rss, heapUsed, external } = process.memoryUsage();
      const { user, system } = process.cpuUsage(processor);
      const sample: Sample = {
        seconds: now,
        iterations,
        processorSeconds: (user + system) / 1e6,
        resident: rss,
        heap: heapUsed,
        external,
        device: device.allocatedBytes,
      };
      samples.push(sample);
      sampled?.(sample);
      next += sampleSeconds;
    }
    if (now >= seconds) controller.abort();
  };
  try {
    await runPipeline({
      ...{ config, dataset, folder, device, checkpointSeconds },
      command: 'a run that is watched',
      signal: controller.signal,
      progress: {
        ...silentProgress,
        advanced(stage, done) {
          if (stage !== 'distil') return;
          if (begin === 0) {
            // From the end of the first iteration on: it compiles.
            begin = performance.now();
            processor = process.cpuUsage();
          }
          look(done - 1);
        },
      },
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  } finally {
    dataset.close();
    await folder.close();
  }
  return samples;
}
