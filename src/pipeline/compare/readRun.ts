/** What a comparison reads of a finished run's folder. Nothing is locked or written. */
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { readRunConfig } from '../config/runConfig.js';
import { decodeEvaluation, hasSeeds } from '../evaluate/record.js';
import { decodeFacts } from '../report/runFacts.js';
import { deviceName } from '../report/wording.js';
import { files } from '../stages/context.js';
import { fileLimits } from '../store/boundedFile.js';
import { CONFIG, RESULT } from '../store/fileNames.js';
import { openToRead } from '../store/readFolder.js';
import type { ComparedRun } from './compareRuns.js';

/** @throws StoreError when the folder is none of a finished run, or its evaluation is of another configuration. */
export async function readRun(folder: string): Promise<ComparedRun> {
  const opened = openToRead(folder);
  const readText = async (name: string): Promise<string> =>
    new TextDecoder().decode(await opened.readBytes(name, fileLimits.record));
  const evaluation = decodeEvaluation(await readText(files.evaluation), opened.pathOf(files.evaluation));
  const { device } = decodeFacts(await readText(RESULT), opened.pathOf(RESULT));
  const config = await readRunConfig(folder);
  const { seeds } = config.evaluate;
  if (!hasSeeds(evaluation, seeds)) {
    throw new StoreError(
      `${opened.pathOf(files.evaluation)} is not of ${join(folder, CONFIG)}, which has ${seeds} evaluation seeds: the run was changed and not finished. Give its command again.`,
    );
  }
  const tuning = device.tuning === undefined ? '' : `, tuning ${device.tuning}`;
  return { name: folder, config, device: `${deviceName(device)}${tuning}`, evaluation };
}
