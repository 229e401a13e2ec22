/** A run at one moment, put together from what its folder holds; nothing is locked, created or written. */

import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { imageShape } from '../config/rules.js';
import { readRunConfig } from '../config/runConfig.js';
import type { Config } from '../config/schema.js';
import { studyNames } from '../progress.js';
import { stagesOf } from '../stageList.js';
import { fileLimits, readBounded } from '../store/boundedFile.js';
import { EVENTS } from '../store/events.js';
import { exists } from '../store/exists.js';
import { REPORT, RESULT, STUDY_FILE, TIMINGS } from '../store/fileNames.js';
import { ownersWithStates } from '../store/lock.js';
import { decodeManifest, MANIFEST } from '../store/manifest.js';
import { meantRun } from '../store/meantRun.js';
import { type Curve, LossReader } from './losses.js';
import { readSynthetic, type SyntheticImages } from './synthetic.js';
import { readTrail, type Trail } from './trail.js';

/** A stage as it stands. */
export interface StageView {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'stopped' | 'done' | 'skipped';
  /** Steps that are done, and all of them; null where nothing tells. */
  readonly done: number | null;
  readonly total: number | null;
  readonly unit: string;
  readonly loss: number | null;
  /** Steps a second; null where they are not known. */
  readonly perSecond: number | null;
  /** Seconds until it ends at this speed. */
  readonly secondsLeft: number | null;
  /** Seconds that it took. */
  readonly seconds: number | null;
}

/** A run as it stands. */
export interface RunSnapshot {
  readonly folder: string;
  /** `stopped`: nobody works on it, and it is not finished. */
  readonly state: 'running' | 'finished' | 'stopped';
  /** 0 when it is finished, else how its process ended: 1 where it was killed; null while it runs. */
  readonly exitCode: number | null;
  /** Why it stopped; null where that is not known. */
  readonly message: string | null;
  /** The command that goes on with it, where it was left. */
  readonly command: string | null;
  readonly stages: readonly StageView[];
  /** The stage whose losses are the newest, and they; null before the first one. */
  readonly curve: (Curve & { readonly stage: string }) | null;
  /** α of the distillation, as it began and as it is; null before its first iteration. */
  readonly innerStep: { readonly first: number; readonly latest: number } | null;
  readonly report: string | null;
  readonly images: SyntheticImages | null;
}

/** A file's text; null where it is not to be read. */
const textOf = (path: string): Promise<string | null> =>
  readBounded(path, fileLimits.record).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => null,
  );

/** Whether a living process holds the folder's lock. */
const isHeld = (folder: string): Promise<boolean> =>
  ownersWithStates(folder).then(
    (owners) => owners.some(({ state }) => state !== 'dead'),
    () => false,
  );

/** While a process works through the stages, those that it has not come to may have to be run again. */
function stateOf(
  isCurrent: boolean,
  isRunning: boolean,
  said: Trail['stages'][number]['state'] | undefined,
  isFinished: boolean,
): StageView['state'] {
  if (isCurrent) return isRunning ? 'running' : 'stopped';
  if (said === 'skipped') return 'skipped';
  return isFinished && (said !== undefined || !isRunning) ? 'done' : 'waiting';
}

/** Watches a run's folder: call `look` as often as wanted. */
export class RunWatcher {
  readonly #folder: string;
  readonly #config: Config;
  readonly #losses: LossReader;
  #images: SyntheticImages | null = null;
  /** When each stage was first seen, and how far it was: from there its speed is measured where no trail tells. */
  readonly #seen = new Map<string, { readonly time: number; readonly done: number }>();

  private constructor(folder: string, config: Config) {
    this.#folder = folder;
    this.#config = config;
    this.#losses = new LossReader(join(folder, EVENTS), config);
  }

  /** @throws StoreError when the folder is none of a run, ConfigError when its configuration does not fit. */
  static async open(folder: string): Promise<RunWatcher> {
    if (!(await exists(join(folder, MANIFEST)))) {
      throw new StoreError(
        `${folder} is not the folder of a run: it holds no ${MANIFEST}.${meantRun(folder)} Start the run first, or name another folder.`,
      );
    }
    // Written when the run begins, so it may be a moment late.
    return new RunWatcher(folder, await readRunConfig(folder));
  }

  /** The run as it is now. Throws `StoreError` when its manifest is damaged. */
  async look(): Promise<RunSnapshot> {
    const folder = this.#folder;
    // Before the trail: one that ends in between has left it by then.
    const isRunning = await isHeld(folder);
    const trail = await readTrail(folder);
    const path = join(folder, MANIFEST);
    const manifest = decodeManifest((await textOf(path)) ?? '{"version":1,"stages":{}}', path);
    await this.#losses.poll();
    const stages = this.#stageViews(new Set(manifest.keys()), isRunning, trail, await this.#timings());
    const isDistilled =
      manifest.has('distil') && !stages.some(({ name, state }) => name === 'distil' && state === 'running');
    this.#images = await readSynthetic(
      folder,
      isDistilled,
      trail?.image ?? imageShape(this.#config.data),
      this.#images,
    );

    const hasResult = (await exists(join(folder, RESULT))) || (await exists(join(folder, STUDY_FILE)));
    const isWhole = trail === null && hasResult && stages.every(({ state }) => state === 'done');
    const state = isRunning ? 'running' : isWhole ? 'finished' : 'stopped';
    const ended = isRunning ? null : (trail?.ended ?? null);
    const [stage, curve] = [...this.#losses.curves].at(-1) ?? [];
    const { innerSteps } = this.#losses;
    const report = join(folder, REPORT);
    return {
      folder,
      state,
      exitCode: state === 'running' ? null : state === 'finished' ? 0 : (ended?.exitCode ?? 1),
      message: ended?.message ?? null,
      command: trail?.command ?? null,
      stages,
      curve: stage === undefined ? null : { stage, ...curve! },
      innerStep: innerSteps.length === 0 ? null : { first: innerSteps[0]!, latest: innerSteps.at(-1)! },
      report: state === 'finished' && (await exists(report)) ? report : null,
      images: this.#images,
    };
  }

  async #timings(): Promise<Record<string, unknown>> {
    try {
      return JSON.parse((await textOf(join(this.#folder, TIMINGS))) ?? '{}') as Record<string, unknown>;
    } catch {
      return {};
    }
  }

  #stageViews(
    finished: ReadonlySet<string>,
    isRunning: boolean,
    trail: Trail | null,
    timings: Record<string, unknown>,
  ): StageView[] {
    const known = stagesOf(this.#config);
    const left = new Map((trail?.stages ?? []).map((stage) => [stage.name, stage]));
    const isStudy = [...finished, ...left.keys()].some((name) => studyNames.some((study) => study === name));
    const others = [...new Set([...finished, ...left.keys()])].filter(
      (name) => !name.includes('/') && !known.some((stage) => stage.name === name),
    );
    // A study runs some of the stages, and itself.
    const names = isStudy
      ? [...known.map(({ name }) => name).filter((name) => finished.has(name) || left.has(name)), ...others]
      : known.map(({ name }) => name);
    const begun = trail?.stages.find(({ state }) => state === 'running')?.name;
    const current =
      begun ?? (isRunning && trail === null ? names.find((name) => !finished.has(name)) : undefined);
    return names.map((name): StageView => {
      const said = left.get(name);
      const state = stateOf(name === current, isRunning, said?.state, finished.has(name));
      const stage = known.find((each) => each.name === name);
      const unit = said?.unit || (stage?.unit ?? 'steps');
      const total = said?.total || (stage?.stepsByConfig?.(this.#config) ?? null);
      const curve = this.#losses.curves.get(name);
      const done = Math.max(said?.done ?? 0, curve?.steps.at(-1) ?? 0) || null;
      const perSecond = state === 'running' ? (said?.perSecond ?? this.#measuredSpeed(name, done)) : null;
      const seconds = timings[name];
      return {
        name,
        state,
        done: state === 'waiting' ? null : done,
        total,
        unit,
        loss: curve?.losses.at(-1) ?? said?.loss ?? null,
        perSecond,
        secondsLeft: perSecond && total !== null ? Math.max(0, (total - (done ?? 0)) / perSecond) : null,
        seconds: (state === 'done' || state === 'skipped') && typeof seconds === 'number' ? seconds : null,
      };
    });
  }

  /** Steps a second since the first look; null at that one. */
  #measuredSpeed(name: string, done: number | null): number | null {
    if (done === null) return null;
    const now = performance.now();
    const first = this.#seen.get(name);
    if (first === undefined) {
      this.#seen.set(name, { time: now, done });
      return null;
    }
    return done > first.done ? (1000 * (done - first.done)) / (now - first.time) : null;
  }
}
