/** Runs of the preset tiny-test whose device is lost on the way. */
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { type StageName, silentProgress } from '../../src/pipeline/progress.js';
import { outliveLosses } from '../../src/pipeline/recovery.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { type LosableDevice, type LossMoment, openLosable } from './losableDevice.js';

/** When the device of a run is lost. */
export interface Loss {
  readonly stage: StageName;
  /** `hook`: destroyed from inside the listener, when the stage tells how far it is for the n-th time. */
  readonly moment: LossMoment | { readonly at: 'hook'; readonly number: number };
}

/** A run that ended. */
export interface RecoveredRun {
  /** What was said of losses. */
  readonly lines: readonly string[];
  /** Devices that were opened. */
  readonly opened: number;
}

/** Runs the preset in a folder. Every loss happens once, in the order given. */
export async function recoveredRun(
  path: string,
  { losses = [], sets = [] }: { readonly losses?: readonly Loss[]; readonly sets?: readonly string[] } = {},
): Promise<RecoveredRun> {
  const config = resolveConfig({ preset: 'tiny-test', sets: [...sets], seed: 1 });
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(path);
  const lines: string[] = [];
  const left = [...losses];
  let opened = 0;
  let current: LosableDevice | null = null;
  const open = async () => {
    opened++;
    current = await openLosable();
    return current.device;
  };
  const device = await open();
  let told = 0;
  try {
    await outliveLosses(
      device,
      {
        folder,
        reopen: open,
        pauses: [0, 0, 0],
        say: (line) => void lines.push(line),
        progress: {
          ...silentProgress,
          started(stage) {
            told = 0;
            const moment = left[0]?.moment;
            if (left[0]?.stage !== stage || moment === undefined || moment.at === 'hook') return;
            left.shift();
            current!.loseAt(moment);
          },
          advanced(stage) {
            const moment = left[0]?.moment;
            if (left[0]?.stage !== stage || moment?.at !== 'hook' || ++told < moment.number) return;
            left.shift();
            current!.device.gpu.destroy();
          },
        },
      },
      (device, progress) =>
        runPipeline({ config, dataset, folder, device, progress, command: 'test', checkpointSeconds: 0 }),
    );
    return { lines, opened };
  } finally {
    device.close();
    dataset.close();
    await folder.close();
  }
}
