/** Whether what a run left fits together: a run that was changed and broken off leaves new artefacts beside old ones. */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import type { StageName } from '../progress.js';
import type { RunFolder } from './runFolder.js';

/** What the stages before one had left when it ran. */
const before = z.object({ artefacts: z.record(z.string(), z.string()) });

/**
 * Requires that a stage is finished, and made from what the stages before it left last.
 *
 * @throws StoreError with the stage that is not.
 */
export function requireWhole(folder: RunFolder, stage: StageName): void {
  const record = folder.recordOf(stage);
  if (record === undefined) {
    throw new StoreError(
      `${folder.path} is not the folder of a finished run: its stage ${stage} is not done. Give the run's command again.`,
    );
  }
  // A manifest of an earlier version does not say what was read.
  const { artefacts = {} } = before.safeParse(record.reads).data ?? {};
  for (const [name, hash] of Object.entries(artefacts)) {
    requireWhole(folder, name as StageName);
    if (folder.artefactHash(name) === hash) continue;
    throw new StoreError(
      `${folder.path} was changed and not finished: what its stage ${name} left is newer than ${stage}. Give the run's command again.`,
    );
  }
}
