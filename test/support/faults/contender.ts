/** A process that opens a run's folder, keeps it until it is told to let go, and tells how that went. */
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';

/** What the process tells: `held`, or why it does not hold the folder. */
export type ContenderMessage = 'held' | { readonly refused: string };

const tell = (message: ContenderMessage): void => {
  process.send?.(message);
};

// All begin at the same moment, however long each took to start.
process.once('message', async () => {
  try {
    const folder = await RunFolder.open(process.argv[2]!);
    process.once('message', async () => {
      await folder.close();
      process.disconnect();
    });
    tell('held');
  } catch (error) {
    tell({ refused: error instanceof Error ? error.message : String(error) });
    process.disconnect();
  }
});
