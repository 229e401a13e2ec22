/** What a run tells whoever watches it. The pipeline prints nothing itself. */

export const stageNames = [
  'teacher',
  'targets',
  'experts',
  'subset',
  'distil',
  'selfSupervisedExperts',
  'selfSupervised',
  'evaluate',
  'report',
] as const;
/** Studies: what is measured beside a run, in folders of their own. */
export const studyNames = ['variance', 'horizon'] as const satisfies readonly StudyName[];
/** Name of a study. */
export type StudyName = 'variance' | 'horizon';
/** Name of a stage, or of a study, which is run as one. */
export type StageName = (typeof stageNames)[number] | StudyName;

/** Whoever watches a run. */
export interface Progress {
  /** A stage begins; `total` is the number of its steps, in `unit`s. */
  started(stage: StageName, total: number, unit: string): void;
  /** `done` of the stage's steps are finished; `loss` is the newest one known. */
  advanced(stage: StageName, done: number, loss?: number): void;
  /** A stage has ended, so many seconds after it began. */
  finished(stage: StageName, seconds: number): void;
  /** The stage's artefacts are there already, made from the same inputs. */
  skipped(stage: StageName): void;
}

/** A listener that says nothing. */
export const silentProgress: Progress = { started() {}, advanced() {}, finished() {}, skipped() {} };

/** A listener that tells several others, in this order. */
export const tellingAll = (...listeners: readonly Progress[]): Progress => ({
  started(...words) {
    for (const listener of listeners) listener.started(...words);
  },
  advanced(...words) {
    for (const listener of listeners) listener.advanced(...words);
  },
  finished(...words) {
    for (const listener of listeners) listener.finished(...words);
  },
  skipped(...words) {
    for (const listener of listeners) listener.skipped(...words);
  },
});
