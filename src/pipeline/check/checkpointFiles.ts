/** Whether a stage that was broken off can go on from its checkpoint. */
import { DataError, StoreError } from '../../errors.js';
import { CHECKPOINT_VERSION } from '../checkpoints.js';
import type { Config } from '../config/schema.js';
import { EVALUATION_CHECKPOINT } from '../evaluate/stoppable.js';
import { partInputs } from '../parts.js';
import { hashedInputs, nameOfInputs } from '../stageInputs.js';
import { stagesOf } from '../stageList.js';
import { readingFault } from '../store/boundedFile.js';
import { checkpointedBy } from '../store/fileNames.js';
import { type Finding, flaw, note, RUN_AGAIN } from './finding.js';
import { type ScannedFolder, type ScannedTensors, scanTensors } from './scannedFolder.js';
import { type CheckedStage, type Manifest, presentInputs } from './stageStates.js';

const beginsAnew = (stage: string): Pick<Finding, 'means' | 'mends'> => ({
  means: `The stage ${stage} begins anew; what it had done is lost, and nothing else.`,
  mends: RUN_AGAIN,
});

/** What a whole checkpoint is worth under the present configuration. */
function checkWorth(
  file: string,
  stage: string,
  { metadata }: ScannedTensors,
  manifest: Manifest,
  config: Config,
  states: readonly CheckedStage[],
): Finding {
  if (states.some((each) => each.stage === stage && each.state === 'done')) {
    return note(file, {
      what: `The stage ${stage} is done.`,
      means: 'The run was ended between finishing the stage and removing its checkpoint. It does no harm.',
      mends: 'It may be deleted.',
    });
  }
  if (stage === EVALUATION_CHECKPOINT) {
    return note(file, {
      what: `It keeps an evaluation of the run's set after ${metadata.done} steps.`,
      means: 'It is of `hypergrad evaluate`, which was broken off there. The run itself does not read it.',
      mends: 'Give that command again to go on from there, or delete it.',
    });
  }
  const step = `It keeps the stage ${stage} after ${metadata.done} steps.`;
  const found = stagesOf(config).find(({ name }) => name === stage);
  const ofParts =
    found && presentInputs({ ...found, reads: found.partReads ?? found.reads }, manifest, config);
  const inputs = found && presentInputs(found, manifest, config);
  const known = [inputs, ofParts].flatMap((each) => (each ? [nameOfInputs(each)] : []));
  // A part that a job of its own makes is kept by what that part reads.
  const parts = (ofParts && found?.parts?.(config)) ?? [];
  known.push(...parts.map((part) => partInputs(hashedInputs(ofParts!), part)));
  if (known.length > 0 && !known.includes(metadata.inputs ?? '')) {
    return note(file, {
      what: `${step} It was made from other inputs than the present ones.`,
      means: `The configuration, or a stage before it, has changed since. The stage ${stage} begins anew.`,
      mends: `${RUN_AGAIN} To go on from it, give the command that it was made with.`,
    });
  }
  return note(file, {
    what: step,
    means: 'The run was broken off there.',
    mends: `${RUN_AGAIN} It goes on from there.`,
  });
}

/** All checkpoints of a folder. */
export async function checkCheckpoints(
  view: ScannedFolder,
  manifest: Manifest,
  config: Config | null,
  states: readonly CheckedStage[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const file of view.sizes.keys()) {
    const stage = checkpointedBy(file);
    if (stage === undefined) continue;
    try {
      const found = await scanTensors(view, file);
      const version = Number(found.metadata.version);
      const isWhole = found.metadata.inputs !== undefined && Number(found.metadata.done) >= 0;
      if (version > CHECKPOINT_VERSION) {
        findings.push(
          flaw(file, {
            what: `It is of version ${version}, written by a newer hypergrad; this one goes on from versions up to ${CHECKPOINT_VERSION}.`,
            means: `A run on the folder stops at the stage ${stage}.`,
            mends: 'Use that version of hypergrad, or delete the file to begin its stage anew.',
          }),
        );
      } else if (!isWhole)
        findings.push(flaw(file, { what: 'It does not say what it was made from.', ...beginsAnew(stage) }));
      else if (found.notFinite !== null) {
        findings.push(
          flaw(file, {
            what: `Its tensor ${found.notFinite} holds a number that is not finite.`,
            means: `The stage ${stage} cannot go on from it.`,
            mends: `Delete it: the stage begins anew. ${RUN_AGAIN}`,
          }),
        );
      } else if (config !== null) findings.push(checkWorth(file, stage, found, manifest, config, states));
    } catch (error) {
      const what =
        error instanceof DataError || error instanceof StoreError
          ? error.message
          : `It ${readingFault(error)}.`;
      findings.push(flaw(file, { what, ...beginsAnew(stage) }));
    }
  }
  return findings;
}
