/** Stage 7: the result as a table, and the report. Made anew by every run from what the stages left: it costs nothing. */
import { mean } from 'simple-statistics';
import { stringify } from 'yaml';
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { summariseTable, summariseTransfer } from '../evaluate/summary.js';
import { renderReport } from '../report/report.js';
import { averagingWindow, type DistilEvent, type RunDevice, type RunResult } from '../report/types.js';
import { stagesOf } from '../stageList.js';
import { readEvents } from '../store/events.js';
import { RESULT_VERSION } from '../store/formatVersion.js';
import { files, readTensors, type StageContext } from './context.js';
import { readEvaluation } from './evaluate.js';

/** The result for programs, and the report for people. */
export const RESULT = 'result.json';
export const REPORT = 'report.html';

export interface ReportOptions {
  readonly title: string;
  /** The command that repeats the run. */
  readonly command: string;
  /** Seconds of each stage, measured when it ran. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The device that the run was made on. */
  readonly device: RunDevice;
}

/** What every run's report says at its head, and the seconds of its stages out of all that were measured. */
export function reportHead(
  config: Config,
  dataset: Dataset,
  timings: Readonly<Record<string, number>>,
): Pick<ReportOptions, 'title' | 'seconds'> {
  const count = subsetSize(config.subset.fraction, dataset.train.count);
  return {
    title: `${dataset.name}: ${dataset.train.count} images distilled to ${count}`,
    seconds: Object.fromEntries(
      stagesOf(config).flatMap(({ name }) => (timings[name] === undefined ? [] : [[name, timings[name]]])),
    ),
  };
}

/** What the events of distillation hold beside the stage; a loss that is not finite is null in JSON. */
const distilEventSchema: z.ZodType<DistilEvent> = z.object({
  iteration: z.number(),
  loss: z.number(),
  innerStep: z.number(),
});

/** @throws StoreError where there is none, or one is not as distillation writes them. */
async function readDistilEvents(path: string): Promise<DistilEvent[]> {
  const found = (await readEvents(path)).filter((event) => event.stage === 'distil');
  if (found.length === 0) {
    throw new StoreError(`${path} holds no event of distillation. Delete the run's folder and run again.`);
  }
  return found.map((event, place) => {
    const checked = distilEventSchema.safeParse(event);
    if (checked.success) return checked.data;
    throw new StoreError(
      `${path}: event ${place + 1} of distillation is damaged. Delete the run's folder and run again.`,
      { cause: checked.error },
    );
  });
}

/** Writes result.json and report.html. */
export async function writeReport(
  { config, dataset, folder }: Pick<StageContext, 'config' | 'dataset' | 'folder'>,
  { title, command, seconds, device }: ReportOptions,
): Promise<RunResult> {
  const evaluation = await readEvaluation(folder);
  const events = await readDistilEvents(folder.pathOf('events.jsonl'));
  const losses = events.map((event) => event.loss);
  const window = averagingWindow(losses.length);
  const innerStep = (await readTensors(folder, files.synthetic))('innerStep').data[0]!;
  const result: RunResult = {
    device,
    dataset: dataset.name,
    ...summariseTable(evaluation),
    transfer: summariseTransfer(evaluation),
    trajectoryLoss: { first: mean(losses.slice(0, window)), last: mean(losses.slice(-window)) },
    innerStep: { first: events[0]!.innerStep, last: innerStep },
    seconds,
  };
  await folder.writeText(RESULT, `${JSON.stringify({ version: RESULT_VERSION, ...result }, null, 2)}\n`);
  const html = await renderReport({
    title,
    command,
    result,
    events,
    imagesPng: await folder.readBytes(files.images),
    configYaml: stringify(config),
  });
  await folder.writeText(REPORT, html);
  return result;
}
