/**
 * `hypergrad check`: looks through a run's folder without changing anything, taking its lock or opening a device, so that it works
 * beside a run and on a folder that cannot be written. What it cannot see is whether the data is still the same.
 */

import { join } from 'node:path';
import { ConfigError, StoreError } from '../../errors.js';
import { resolveConfig } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { files } from '../stages/context.js';
import { fileLimits, readingFault } from '../store/boundedFile.js';
import { isUnfinished } from '../store/disk.js';
import { EVENTS } from '../store/events.js';
import { CONFIG, STUDY_FILE } from '../store/fileNames.js';
import { NewerFileError } from '../store/formatVersion.js';
import { ownersWithStates } from '../store/lock.js';
import { describeOwner } from '../store/lockOwner.js';
import { decodeManifest, MANIFEST } from '../store/manifest.js';
import { checkArtefacts } from './artefacts.js';
import { checkCheckpoints } from './checkpointFiles.js';
import { checkEventLines, checkEventOrder } from './eventOrder.js';
import { type Finding, flaw, NEWER, note, RUN_AGAIN } from './finding.js';
import { checkResults } from './results.js';
import { readFile, type ScannedFolder, scanFolder } from './scannedFolder.js';
import { type CheckedStage, checkStages, type Manifest, stageStates } from './stageStates.js';
import { checkCounts, checkShapes } from './tensorShapes.js';

/** What a check of a folder found. */
export interface CheckReport {
  readonly folder: string;
  /** Whether there is no flaw; a run in its middle is whole too. */
  readonly isWhole: boolean;
  /** The stages of the folder's configuration; empty where it cannot be read. */
  readonly stages: readonly CheckedStage[];
  /** Files that were looked at, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

/** @throws StoreError where there is no such folder, or nothing in it is a run's. */
export async function checkRun(folder: string): Promise<CheckReport> {
  const view = await scanFolder(folder);
  if (!view.sizes.has(MANIFEST) && !view.sizes.has(CONFIG) && !view.sizes.has(EVENTS)) {
    throw new StoreError(
      `${folder} is not the folder of a run: it has no ${MANIFEST}. Name one, such as runs/mnist-small.`,
    );
  }
  const findings: Finding[] = [...(await checkLock(view))];
  const found = await readManifest(view, findings);
  const manifest: Manifest = found ?? new Map();
  // Of a folder of a newer version no more than the files by themselves is looked at.
  const config = found === null ? null : await readConfig(view, findings);
  const stages = config === null ? [] : stageStates(manifest, config);
  findings.push(...checkStages(stages));

  const artefacts = await checkArtefacts(view, manifest);
  findings.push(...artefacts.findings);
  if (config !== null) {
    // Files with a flaw of their own are not asked for more.
    const flawed = new Set(artefacts.findings.map(({ file }) => file));
    for (const { stage, state } of stages) {
      if (state !== 'done') continue;
      const made = Object.keys(manifest.get(stage)!.artefacts);
      findings.push(...checkCounts(stage, made, config));
      for (const file of made) {
        if (!flawed.has(file)) findings.push(...checkShapes(file, stage, config, artefacts.scanned));
      }
    }
  }
  findings.push(...(await checkCheckpoints(view, manifest, config, stages)));
  findings.push(...(await checkEvents(view, stages, config)));
  const isDone = (stage: string): boolean =>
    stages.some((each) => each.stage === stage && each.state === 'done');
  // A study's folder has stages of a run, and pages of its own.
  const isStudy = view.sizes.has(STUDY_FILE) && !isDone('evaluate');
  const isFinished = !isStudy && stages.length > 0 && stages.every(({ state }) => state === 'done');
  findings.push(
    ...(await checkResults(view, config, {
      isEvaluated:
        isDone('evaluate') &&
        !findings.some(({ kind, file }) => kind === 'flaw' && file === files.evaluation),
      isFinished,
    })),
  );
  findings.push(...checkLeftovers(view));
  return {
    folder,
    isWhole: findings.every(({ kind }) => kind === 'note'),
    stages,
    files: view.sizes.size,
    bytes: [...view.sizes.values()].reduce((total, size) => total + size, 0),
    findings,
  };
}

/** The manifest, empty where it cannot be read; null where it is of a newer version. */
async function readManifest(view: ScannedFolder, findings: Finding[]): Promise<Manifest | null> {
  const words = {
    means: 'It is not known which files were left whole by which stage, so that all count as not done.',
    mends: `Bring it back from a copy, or delete it: ${RUN_AGAIN.toLowerCase()} All stages are then made again.`,
  };
  try {
    const text = new TextDecoder().decode(await readFile(view, MANIFEST, fileLimits.record));
    return decodeManifest(text, join(view.path, MANIFEST));
  } catch (error) {
    if (error instanceof NewerFileError) {
      findings.push(flaw(MANIFEST, { what: error.message, ...NEWER }));
      return null;
    }
    const isTold = error instanceof StoreError;
    findings.push(flaw(MANIFEST, { what: isTold ? error.message : `It ${readingFault(error)}.`, ...words }));
    return new Map();
  }
}

async function readConfig(view: ScannedFolder, findings: Finding[]): Promise<Config | null> {
  const unknown = (what: string): null => {
    findings.push(
      flaw(CONFIG, {
        what,
        means:
          'It is not known what the run was to make: shapes, counts and events are not checked. No artefact is lost.',
        mends: `${RUN_AGAIN} It writes the file anew.`,
      }),
    );
    return null;
  };
  try {
    // A configuration of one's own may come through a pipe; here one would be waited for.
    await readFile(view, CONFIG, fileLimits.configuration);
  } catch (error) {
    return unknown(`It ${readingFault(error)}.`);
  }
  try {
    return resolveConfig({ file: join(view.path, CONFIG), sets: [] });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return unknown(error.message);
  }
}

async function checkEvents(
  view: ScannedFolder,
  stages: readonly CheckedStage[],
  config: Config | null,
): Promise<Finding[]> {
  let text = '';
  if (view.sizes.has(EVENTS)) {
    try {
      text = new TextDecoder().decode(await readFile(view, EVENTS, fileLimits.data));
    } catch (error) {
      const what = `It ${readingFault(error)}.`;
      return [flaw(EVENTS, { what, means: 'A run on the folder stops there.', mends: 'Make it readable.' })];
    }
  }
  const { events, findings } = checkEventLines(text);
  // Lines that are damaged leave gaps of themselves.
  if (config === null || findings.some(({ kind }) => kind === 'flaw')) return findings;
  return [...findings, ...checkEventOrder(events, stages, config)];
}

function checkLeftovers({ sizes }: ScannedFolder): Finding[] {
  return [...sizes.keys()]
    .filter((name) => isUnfinished(name))
    .map((name) =>
      note(name, {
        what: `${sizes.get(name)} bytes of a write that was cut off.`,
        means: 'A run was killed there. It is no part of anything.',
        mends: 'Nothing needs to be done: the next run on the folder removes it.',
      }),
    );
}

async function checkLock({ path }: ScannedFolder): Promise<Finding[]> {
  const owners = await ownersWithStates(path).catch(() => []);
  return owners.map(({ owner, state }) => {
    const who = describeOwner(owner);
    if (state === 'dead') {
      return note(null, {
        what: `Its lock is that of ${who}, which has ended.`,
        means: 'A run was killed.',
        mends: `${RUN_AGAIN} It takes the lock over.`,
      });
    }
    return note(null, {
      what: `It is in use by ${who}${state === 'alive' ? '' : ', on another machine as it seems'}.`,
      means: 'A run is at work: what it changes at this moment may look like a flaw.',
      mends: 'Check again when it has ended.',
    });
  });
}
