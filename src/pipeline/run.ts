/**
 * A run: the stages of MKDT in order over one folder. A stage whose inputs are those of its last time, and whose artefacts
 * are unchanged, is skipped.
 */
import { requireMemory } from './estimate/requireMemory.js';
import { requirePagePackages } from './optionalImports.js';
import { observe } from './plan/observe.js';
import { planRun, type RunPlan } from './plan/plan.js';
import { stageNames } from './progress.js';
import { runDeviceOf } from './report/runDevice.js';
import type { RunResult } from './report/types.js';
import { runStage } from './runStage.js';
import { openSession, type SessionOptions } from './session.js';
import { stagesOf } from './stageList.js';
import { secondsOfStages, writeReport } from './stages/report.js';
import { requireSpace } from './stages/trajectories.js';
import { REPORT, RESULT } from './store/fileNames.js';

/** What a run is made from. */
export interface RunOptions extends SessionOptions {
  /** The command that repeats the run, for the report. */
  readonly command: string;
  /** Told what the run will do and why, before anything runs. */
  readonly planned?: (plan: RunPlan) => void;
}

/** Runs every stage that is not done yet, and writes the report. Throws `MissingPackageError` before anything runs. */
export async function runPipeline({ command, planned, ...options }: RunOptions): Promise<RunResult> {
  const { config } = options;
  await requirePagePackages();
  const session = await openSession(options);
  const plan = planRun(await observe(options.folder, config), session);
  planned?.(plan);
  if (plan.some(({ action }) => action !== 'done')) {
    // They are of a finished run, and of its configuration: until the end there is none again.
    for (const file of [RESULT, REPORT]) await options.folder.remove(file);
    // Before anything is computed: the teacher alone may take hours.
    await requireSpace(options);
    await requireMemory(options);
  }
  try {
    for (const stage of stagesOf(config)) await runStage(stage, session);
  } catch (error) {
    // Events are on disk up to the error, and nothing is written behind the back of whoever goes on in this process.
    await session.events.flush().catch(() => undefined);
    throw error;
  }
  await session.events.arrange(stageNames);
  return await writeReport(session.contextOf('report'), {
    seconds: secondsOfStages(config, session.timings),
    command,
    device: runDeviceOf(options.device),
  });
}
