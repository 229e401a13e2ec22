/** What a comparison reads of a finished run's folder. Nothing is locked or written. */
import { join } from 'node:path';
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { readRunConfig } from '../config/runConfig.js';
import { decodeEvaluation } from '../evaluate/record.js';
import { runDeviceSchema } from '../report/runDevice.js';
import type { RunDevice } from '../report/types.js';
import { deviceName } from '../report/wording.js';
import { files } from '../stages/context.js';
import { fileLimits } from '../store/boundedFile.js';
import { RESULT_VERSION, requireVersion, versionOf } from '../store/formatVersion.js';
import { openToRead } from '../store/readFolder.js';
import { parseJson } from '../store/strictJson.js';
import type { ComparedRun } from './compareRuns.js';

const resultSchema = z.object({
  device: runDeviceSchema,
});

/** @throws StoreError when the folder is none of a finished run, or its evaluation is of another configuration. */
export async function readRun(folder: string): Promise<ComparedRun> {
  const opened = openToRead(folder);
  const readText = async (name: string): Promise<string> =>
    new TextDecoder().decode(await opened.readBytes(name, fileLimits.record));
  const evaluation = decodeEvaluation(await readText(files.evaluation), join(folder, files.evaluation));
  const resultText = await readText('result.json');
  const config = await readRunConfig(folder);
  let device: RunDevice;
  try {
    const json: unknown = parseJson(resultText);
    requireVersion(join(folder, 'result.json'), versionOf(json), RESULT_VERSION);
    device = resultSchema.parse(json).device;
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${join(folder, 'result.json')} is damaged. Give the run's command again.`, {
      cause,
    });
  }
  const { seeds } = config.evaluate;
  const counts = [evaluation, ...evaluation.transfer].flatMap(({ rows, heldOut }) => [
    ...rows.map((row) => row.accuracies),
    ...heldOut.map((row) => row.errors),
  ]);
  if (counts.some((numbers) => numbers.length !== seeds)) {
    throw new StoreError(
      `${join(folder, files.evaluation)} is not of ${join(folder, 'config.yaml')}, which has ${seeds} evaluation seeds: the run was changed and not finished. Give its command again.`,
    );
  }
  const tuning = device.tuning === undefined ? '' : `, tuning ${device.tuning}`;
  const { tuning: _, ...bare } = device;
  return { name: folder, config, device: `${deviceName(bare)}${tuning}`, evaluation };
}
