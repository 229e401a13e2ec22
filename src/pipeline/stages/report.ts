/** What a run ends with: the result as a table, and the report. Made anew by every run from what the stages left: it costs nothing. */
import type { Config } from '../config/schema.js';
import { readReport, readResult } from '../report/readReport.js';
import { renderReport } from '../report/report.js';
import { encodeResult } from '../report/runFacts.js';
import type { RunDevice, RunResult } from '../report/types.js';
import { stagesOf } from '../stageList.js';
import { REPORT, RESULT } from '../store/fileNames.js';
import type { StageContext } from './context.js';

export interface ReportOptions {
  /** The command that repeats the run. */
  readonly command: string;
  /** Seconds of each stage, measured when it ran. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The device that the run was made on. */
  readonly device: RunDevice;
}

/** The seconds of a run's stages in order, out of all that were measured. */
export const secondsOfStages = (
  config: Config,
  timings: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(
    stagesOf(config).flatMap(({ name }) => (timings[name] === undefined ? [] : [[name, timings[name]]])),
  );

/** Writes result.json and report.html. The page is that which `hypergrad report` makes of the folder. */
export async function writeReport(
  { dataset, folder }: Pick<StageContext, 'dataset' | 'folder'>,
  { command, seconds, device }: ReportOptions,
): Promise<RunResult> {
  const { result } = await readResult(folder, { device, dataset: dataset.name, seconds, command });
  await folder.writeText(RESULT, encodeResult(result, command));
  await folder.writeText(REPORT, await renderReport(await readReport(folder)));
  return result;
}
