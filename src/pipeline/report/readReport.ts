/** What the report of a finished run is made from, read from its folder. Nothing is locked or written, and no device is asked. */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { decodeStandardisation } from '../data/standardisation.js';
import { decodeEvaluation } from '../evaluate/record.js';
import { readRepresentations } from '../evaluate/representations.js';
import { files, type ReadableFolder, readTensors } from '../stages/context.js';
import { EVENTS, type RunEvent, readEvents } from '../store/events.js';
import { exists } from '../store/exists.js';
import { CONFIG, RESULT, STANDARDISATION } from '../store/fileNames.js';
import { TensorReader } from '../store/tensorReader.js';
import { makePictures } from './pictures.js';
import { decodeFacts, type RunFacts, resultOf } from './runFacts.js';
import type { DistilEvent, Pictures, ReportInput, RunCurves, RunResult } from './types.js';

/** A loss that is not finite is null in JSON: no stage goes on from one. */
const distilEvent = z.object({ iteration: z.number(), loss: z.number(), innerStep: z.number() });
const lossPoint = z.object({ step: z.number(), loss: z.number() });
const expertLoss = z.object({ expert: z.number(), epoch: z.number(), loss: z.number() });

/** The events of one stage as they should be. @throws StoreError for one that is not. */
function eventsOf<Event>(
  events: readonly RunEvent[],
  stage: string,
  schema: z.ZodType<Event>,
  path: string,
): Event[] {
  return events
    .filter((event) => event.stage === stage)
    .map((event, place) => {
      const checked = schema.safeParse(event);
      if (checked.success) return checked.data;
      throw new StoreError(
        `${path}: event ${place + 1} of the stage ${stage} is damaged. Delete the run's folder and run again.`,
        { cause: checked.error },
      );
    });
}

/** What the stages told while they trained. @throws StoreError where distillation told nothing, or an event is damaged. */
export async function readCurves(folder: ReadableFolder): Promise<RunCurves> {
  const path = folder.pathOf(EVENTS);
  const events = await readEvents(path);
  const distil: DistilEvent[] = eventsOf(events, 'distil', distilEvent, path);
  if (distil.length === 0) {
    throw new StoreError(`${path} holds no event of distillation. Delete the run's folder and run again.`);
  }
  return {
    distil,
    teacher: eventsOf(events, 'teacher', lossPoint, path),
    experts: eventsOf(events, 'experts', expertLoss, path),
    selfSupervisedExperts: eventsOf(events, 'selfSupervisedExperts', expertLoss, path),
    selfSupervised: eventsOf(events, 'selfSupervised', distilEvent, path),
  };
}

/** What a run found, and what it was found from. */
export interface FoundResult {
  readonly result: RunResult;
  readonly evaluation: ReportInput['evaluation'];
  readonly curves: RunCurves;
}

/** Puts together what a run found from what its stages left. Throws `StoreError`. */
export async function readResult(folder: ReadableFolder, facts: RunFacts): Promise<FoundResult> {
  const text = new TextDecoder().decode(await folder.readBytes(files.evaluation));
  const evaluation = decodeEvaluation(text, folder.pathOf(files.evaluation));
  const curves = await readCurves(folder);
  const innerStep = (await readTensors(folder, files.synthetic))('innerStep').data[0]!;
  return { result: resultOf(facts, evaluation, curves.distil, innerStep), evaluation, curves };
}

const textOf = async (folder: ReadableFolder, file: string): Promise<string> =>
  new TextDecoder().decode(await folder.readBytes(file));

/** The set's images in grids; null where the folder is from before the numbers that standardise them were kept. */
async function readPictures(folder: ReadableFolder): Promise<Pictures | null> {
  if (!(await exists(folder.pathOf(STANDARDISATION)))) return null;
  const standardisation = decodeStandardisation(
    await textOf(folder, STANDARDISATION),
    folder.pathOf(STANDARDISATION),
  );
  const tensor = await readTensors(folder, files.synthetic);
  const { data: after, shape } = tensor('images');
  const [count, channels, height, width] = shape as [number, number, number, number];
  return makePictures({
    before: tensor('start.images').data as Float32Array,
    after: after as Float32Array,
    count,
    image: [channels, height, width],
    ...standardisation,
  });
}

/** Images that the run trained its teacher on, and images that it distilled them to. */
async function readCounts(folder: ReadableFolder): Promise<{ readonly from: number; readonly to: number }> {
  const countIn = async (file: string, tensor: string): Promise<number> => {
    const path = folder.pathOf(file);
    const count = (await TensorReader.open(path)).shapeOf(tensor)?.[0];
    if (count !== undefined) return count;
    throw new StoreError(`${path} holds no tensor '${tensor}'. Give the run's command again.`);
  };
  return { from: await countIn(files.targets, 'train'), to: await countIn(files.synthetic, 'images') };
}

/**
 * Reads all that a report shows of a finished run.
 *
 * @throws StoreError where the run is not finished, or a file of it is damaged or of a newer version.
 * @throws DataError where a tensor file is none.
 */
export async function readReport(folder: ReadableFolder): Promise<ReportInput> {
  const facts = decodeFacts(await textOf(folder, RESULT), folder.pathOf(RESULT));
  const { from, to } = await readCounts(folder);
  return {
    title: `${facts.dataset}: ${from} images distilled to ${to}`,
    command: facts.command,
    ...(await readResult(folder, facts)),
    pictures: await readPictures(folder),
    representations: (await exists(folder.pathOf(files.representations)))
      ? await readRepresentations(folder)
      : null,
    configYaml: await textOf(folder, CONFIG),
  };
}
