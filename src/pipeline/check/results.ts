/** Whether what a finished run is read by is there, and can be read: evaluation.json, result.json, report.html, images.png. */
import { StoreError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { decodeStandardisation } from '../data/standardisation.js';
import { decodeEvaluation, hasSeeds } from '../evaluate/record.js';
import { decodeFacts } from '../report/runFacts.js';
import { files } from '../stages/context.js';
import { fileLimits, readingFault } from '../store/boundedFile.js';
import { REPORT, RESULT, STANDARDISATION, TIMINGS } from '../store/fileNames.js';
import { NewerFileError } from '../store/formatVersion.js';
import { type Finding, flaw, NEWER, note, RUN_AGAIN } from './finding.js';
import { readFile, type ScannedFolder } from './scannedFolder.js';

const PNG = [0x89, 0x50, 0x4e, 0x47];

const rewritten: Pick<Finding, 'means' | 'mends'> = {
  means: 'It is made anew by every run from what the stages left; nothing is lost.',
  mends: `${RUN_AGAIN} It takes seconds where all stages are done.`,
};

/** Runs `look` on a file's text; what it throws, and why the file cannot be read, is a flaw. */
async function checkText(
  view: ScannedFolder,
  file: string,
  words: Pick<Finding, 'means' | 'mends'>,
  look: (text: string) => unknown,
): Promise<Finding[]> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readFile(view, file, fileLimits.record));
  } catch (error) {
    return [flaw(file, { what: `It ${readingFault(error)}.`, ...words })];
  }
  try {
    look(text);
    return [];
  } catch (error) {
    if (error instanceof NewerFileError) return [flaw(file, { what: error.message, ...NEWER })];
    const what = error instanceof StoreError ? error.message : 'It is damaged.';
    return [flaw(file, { what, ...words })];
  }
}

/** Throws where the evaluation is not one of this configuration. */
function lookAtEvaluation(text: string, config: Config): void {
  const { seeds } = config.evaluate;
  if (!hasSeeds(decodeEvaluation(text, files.evaluation), seeds)) {
    throw new StoreError(`It does not hold ${seeds} evaluation seeds a row, as config.yaml asks for.`);
  }
}

function lookAtReport(text: string): void {
  if (!/^<!doctype html>/i.test(text) || !text.trimEnd().endsWith('</html>')) {
    throw new StoreError('It is no whole page.');
  }
}

/**
 * What a run leaves at its end.
 *
 * @param config null where it cannot be read
 * @param isEvaluated whether the evaluation is done for this configuration
 * @param isFinished whether all stages are
 */
export async function checkResults(
  view: ScannedFolder,
  config: Config | null,
  { isEvaluated, isFinished }: { readonly isEvaluated: boolean; readonly isFinished: boolean },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (config !== null && isEvaluated && view.sizes.has(files.evaluation)) {
    const words = {
      means: 'The accuracies that were measured cannot be read.',
      mends: `Delete it. ${RUN_AGAIN} It evaluates anew.`,
    };
    findings.push(
      ...(await checkText(view, files.evaluation, words, (text) => lookAtEvaluation(text, config))),
    );
  }
  for (const [file, look] of [
    [RESULT, (text: string) => decodeFacts(text, RESULT)],
    [REPORT, lookAtReport],
  ] as const) {
    // Of a run in its middle, those that are there are an earlier one's.
    if (view.sizes.has(file) || isFinished) findings.push(...(await checkText(view, file, rewritten, look)));
  }
  if (view.sizes.has(STANDARDISATION)) {
    const words = {
      means: 'The synthetic set cannot be shown or handed over as pictures.',
      mends: `${RUN_AGAIN} It writes the file anew.`,
    };
    const look = (text: string): unknown => decodeStandardisation(text, STANDARDISATION);
    findings.push(...(await checkText(view, STANDARDISATION, words, look)));
  }
  if (view.sizes.has(TIMINGS)) {
    const words = {
      means: 'Only the measured seconds of stages are lost.',
      mends: 'Nothing needs to be done.',
    };
    const [fault] = await checkText(view, TIMINGS, words, JSON.parse);
    if (fault !== undefined) findings.push(note(TIMINGS, fault));
  }
  if (view.sizes.has(files.images)) {
    const bytes = await readFile(view, files.images, fileLimits.data).catch(() => new Uint8Array(0));
    if (PNG.some((byte, at) => bytes[at] !== byte)) {
      findings.push(
        flaw(files.images, {
          what: 'It is no PNG file.',
          means: 'The picture of the synthetic set is lost; the set itself is in synthetic.safetensors.',
          mends: `${RUN_AGAIN} It makes the stage distil again.`,
        }),
      );
    }
  }
  return findings;
}
