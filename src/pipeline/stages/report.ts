/** Stage 7: the result as a table, and the report. Made anew by every run from what the stages left: it costs nothing. */
import { mean } from 'simple-statistics';
import { stringify } from 'yaml';
import { summariseTable, summariseTransfer } from '../evaluate/summary.js';
import { renderReport } from '../report/report.js';
import { averagingWindow, type DistilEvent, type RunResult } from '../report/types.js';
import { readEvents } from '../store/events.js';
import { RESULT_VERSION } from '../store/formatVersion.js';
import { tuningName } from '../tune/tuningName.js';
import { files, readTensors, type StageContext } from './context.js';
import { readEvaluation } from './evaluate.js';

export interface ReportOptions {
  readonly title: string;
  /** The command that repeats the run. */
  readonly command: string;
  /** Seconds of each stage, measured when it ran. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** Writes result.json and report.html. */
export async function writeReport(
  { config, dataset, device, folder }: StageContext,
  { title, command, seconds }: ReportOptions,
): Promise<RunResult> {
  const evaluation = await readEvaluation(folder);
  const events = (await readEvents(folder.pathOf('events.jsonl'))).filter(
    (event) => event.stage === 'distil',
  ) as unknown as DistilEvent[];
  const losses = events.map((event) => event.loss);
  const window = averagingWindow(losses.length);
  const { name, kind, bundled } = device.adapter;
  const tuning = tuningName(device);
  const innerStep = (await readTensors(folder, files.synthetic))('innerStep').data[0]!;
  const result: RunResult = {
    device: { name, kind, bundled, ...(tuning === undefined ? {} : { tuning }) },
    dataset: dataset.name,
    ...summariseTable(evaluation),
    transfer: summariseTransfer(evaluation),
    trajectoryLoss: { first: mean(losses.slice(0, window)), last: mean(losses.slice(-window)) },
    innerStep: { first: events[0]!.innerStep, last: innerStep },
    seconds,
  };
  await folder.writeText(
    'result.json',
    `${JSON.stringify({ version: RESULT_VERSION, ...result }, null, 2)}\n`,
  );
  const html = await renderReport({
    title,
    command,
    result,
    events,
    imagesPng: await folder.readBytes(files.images),
    configYaml: stringify(config),
  });
  await folder.writeText('report.html', html);
  return result;
}
