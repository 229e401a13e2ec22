/** The folders that reports are made of: those of finished runs. */

import { StoreError } from '../../errors.js';
import { readRunConfig } from '../config/runConfig.js';
import { stagesOf } from '../stageList.js';
import { RESULT } from '../store/fileNames.js';
import { type FolderToRead, openToRead } from '../store/readFolder.js';
import { viewFolder } from '../store/runFolder.js';

/**
 * Opens a finished run's folder to read. A run writes its result last, and removes it before a stage runs again.
 *
 * @throws StoreError that says what is missing where it is not finished, or no run's folder.
 */
export async function openFinished(path: string): Promise<FolderToRead> {
  const view = await viewFolder(path);
  if (await view.exists(RESULT)) return openToRead(path);
  const config = await readRunConfig(path);
  const missing = stagesOf(config).flatMap(({ name }) => (view.recordOf(name) === undefined ? [name] : []));
  if (missing.length === 0) {
    throw new StoreError(
      `${path} is not finished: its stages are done, but ${RESULT}, which is written last, is missing. Give the run's command again: it takes seconds.`,
    );
  }
  const what = missing.length === 1 ? `stage ${missing[0]} has` : `stages ${missing.join(', ')} have`;
  throw new StoreError(
    `${path} is not finished: its ${what} not run to the end. Give the run's command again: it goes on where it was last kept.`,
  );
}
