/** Stages of the preset tiny-test one by one, over folders of their own. */
import type { Device } from '../../src/gpu/device.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { type Parts, partsOf } from '../../src/pipeline/parts.js';
import type { StageContext } from '../../src/pipeline/stages/context.js';
import { EventLog, type RunEvent, readEvents } from '../../src/pipeline/store/events.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { decodeSafetensors, type TensorFile } from '../../src/pipeline/store/safetensors.js';

export type TinyContext = StageContext & { readonly parts: Parts };

/** Opens a folder, does something with it in a context of the preset with other settings, and closes it. */
export async function inTinyFolder<Result>(
  device: Device,
  path: string,
  sets: string[],
  work: (context: TinyContext) => Promise<Result>,
): Promise<Result> {
  const config = resolveConfig({ preset: 'tiny-test', sets, seed: 1 });
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(path);
  const events = new EventLog(folder.pathOf('events.jsonl'));
  const { count: _, ...reads } = config.experts;
  const parts = partsOf({ folder, stage: 'experts', reads, timings: {}, saveTimings: async () => {} });
  try {
    return await work({ config, dataset, device, folder, events, parts, advance() {} });
  } finally {
    await events.flush();
    await folder.close();
  }
}

/** What a file of a run's folder holds. */
export async function tensorsOf({ folder }: TinyContext, file: string): Promise<TensorFile> {
  return decodeSafetensors(await folder.readBytes(file), file);
}

/** The events of a stage so far. */
export async function eventsOf({ folder, events }: TinyContext, stage: string): Promise<RunEvent[]> {
  await events.flush();
  return (await readEvents(folder.pathOf('events.jsonl'))).filter((event) => event.stage === stage);
}
