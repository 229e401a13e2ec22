/** How much memory there is. */
import { totalmem } from 'node:os';

/** Bytes of memory that this process may use: the machine's, or less where its container has a limit. */
export function machineBytes(): number {
  // 0 where there is no limit, or Node does not know.
  const limit = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), limit);
}
