/**
 * A run of the whole pipeline in a process of its own, which tells its parent how far it is, to be killed. Its one argument is
 * the JSON of `VictimOptions`.
 */
import type { Progress } from '../../../src/pipeline/progress.js';
import { type Moment, watchChanges } from './journal.js';

/** The change at which the process ends itself: the n-th of a place, from 0. */
export interface ChangeMoment {
  readonly change: number;
  /** Where given, only changes of files count whose names begin with this. */
  readonly of?: string;
  readonly moment: Moment;
}

/** Where a run stands: in a stage, or before the first or after the last of them. */
export type Place = 'opening' | Parameters<Progress['started']>[0];

export interface VictimOptions {
  readonly folder: string;
  readonly preset: string;
  readonly sets: readonly string[];
  readonly checkpointSeconds: number;
  /** Where changes are written down for a power cut; null where they are not. */
  readonly journal: string | null;
  readonly endsAt: Partial<Record<Place, ChangeMoment>>;
}

/** What the process tells. */
export type VictimMessage =
  | { readonly tells: 'place'; readonly place: Place }
  | { readonly tells: 'step' }
  | { readonly tells: 'skipped'; readonly stage: string }
  /** How many changes of the folder each place has made. */
  | { readonly tells: 'ended'; readonly changes: Partial<Record<Place, number>> };

const { folder: path, journal, endsAt, ...run } = JSON.parse(process.argv[2]!) as VictimOptions;

let place: Place = 'opening';
const changes: Partial<Record<Place, number>> = {};
/** Changes at this place that count. */
let counted = 0;
const tell = (message: VictimMessage): void => {
  process.send?.(message);
};
const enter = (entered: Place): void => {
  place = entered;
  counted = 0;
  tell({ tells: 'place', place });
};

await watchChanges({
  folder: path,
  keep: journal,
  momentOf: ({ path: changed }) => {
    changes[place] = (changes[place] ?? 0) + 1;
    const ends = endsAt[place];
    if (ends === undefined || !changed.startsWith(ends.of ?? '')) return null;
    return ends.change === counted++ ? ends.moment : null;
  },
});

// What touches the file system comes after the watch.
const { openDevice } = await import('../../../src/gpu/node/openDevice.js');
const { resolveConfig } = await import('../../../src/pipeline/config/resolve.js');
const { loadDataset } = await import('../../../src/pipeline/data/dataset.js');
const { runPipeline } = await import('../../../src/pipeline/run.js');
const { stagesOf } = await import('../../../src/pipeline/stageList.js');
const { RunFolder } = await import('../../../src/pipeline/store/runFolder.js');

const config = resolveConfig({ preset: run.preset, sets: [...run.sets], seed: 1 });
const last = stagesOf(config).at(-1)!.name;
const device = await openDevice();
const dataset = await loadDataset(config.data, config.seed);
enter('opening');
const folder = await RunFolder.open(path);
await runPipeline({
  ...{ config, dataset, folder, device, checkpointSeconds: run.checkpointSeconds },
  command: 'a run that is killed',
  progress: {
    started: enter,
    advanced: () => tell({ tells: 'step' }),
    finished: (stage) => {
      if (stage === last) enter('report');
    },
    skipped: (stage) => {
      tell({ tells: 'skipped', stage });
      if (stage === last) enter('report');
    },
  },
});
await folder.close();
dataset.close();
device.close();
tell({ tells: 'ended', changes });
process.disconnect?.();
