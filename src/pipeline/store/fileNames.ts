/**
 * Names of files in the folder of a run or a study, for whoever writes or looks for them. Those of stages' artefacts are in
 * `stages/context.ts`; the events and the manifest are named where they are read and written.
 */

/** The resolved configuration. */
export const CONFIG = 'config.yaml';
/** What the images were standardised by. */
export const STANDARDISATION = 'standardisation.json';
/** Measured seconds by stage and part. Beside it only `RESULT` and `REPORT`, which repeat them, differ between equal runs. */
export const TIMINGS = 'timings.json';
/** The result for programs, written when all stages are done. */
export const RESULT = 'result.json';
/** The report for people, written last. */
export const REPORT = 'report.html';
/** What a study measured. */
export const STUDY_FILE = 'study.json';

/** How the names of all checkpoints begin. */
export const CHECKPOINT_PREFIX = 'checkpoint-';

/** The checkpoint of a stage, or of what else is kept in its middle. */
export const checkpointFile = (stage: string): string => `${CHECKPOINT_PREFIX}${stage}.safetensors`;

/** What a file is the checkpoint of by its name; undefined for another file. */
export const checkpointedBy = (file: string): string | undefined =>
  /^checkpoint-(\w+)\.safetensors$/.exec(file)?.[1];
