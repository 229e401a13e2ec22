/** result.json: what a run found, and what of it stands in no artefact: its device, its seconds and its command. */
import { mean } from 'simple-statistics';
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import type { Evaluation } from '../evaluate/record.js';
import { summariseTable, summariseTransfer } from '../evaluate/summary.js';
import { averagingWindow } from '../stages/bestSet.js';
import { RESULT_VERSION, requireVersion, versionOf } from '../store/formatVersion.js';
import { parseJson } from '../store/strictJson.js';
import { runDeviceSchema } from './runDevice.js';
import type { DistilEvent, RunDevice, RunResult } from './types.js';

const factsSchema = z.object({
  device: runDeviceSchema,
  dataset: z.string(),
  seconds: z.record(z.string(), z.number()),
  /** Files of earlier versions have none. */
  command: z.string().nullable().default(null),
});

/** What is known of a run beside its artefacts. */
export interface RunFacts extends Pick<RunResult, 'dataset' | 'seconds'> {
  readonly device: RunDevice;
  /** The command that repeats the run; null where it was not kept. */
  readonly command: string | null;
}

/** The result that facts and artefacts make. `innerStep` is the synthetic set's α. */
export function resultOf(
  { device, dataset, seconds }: RunFacts,
  evaluation: Evaluation,
  events: readonly DistilEvent[],
  innerStep: number,
): RunResult {
  const losses = events.map(({ loss }) => loss);
  const window = averagingWindow(losses.length);
  return {
    device,
    dataset,
    ...summariseTable(evaluation),
    transfer: summariseTransfer(evaluation),
    trajectoryLoss: { first: mean(losses.slice(0, window)), last: mean(losses.slice(-window)) },
    innerStep: { first: events[0]!.innerStep, last: innerStep },
    seconds,
  };
}

/** The file's text. */
export const encodeResult = (result: RunResult, command: string): string =>
  `${JSON.stringify({ version: RESULT_VERSION, command, ...result }, null, 2)}\n`;

/** Reads the facts of the file's text. Throws `StoreError` when it is damaged, or of a newer version. */
export function decodeFacts(text: string, path: string): RunFacts {
  try {
    const json = parseJson(text);
    requireVersion(path, versionOf(json), RESULT_VERSION);
    return factsSchema.parse(json);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${path} is damaged. Give the run's command again.`, { cause });
  }
}
