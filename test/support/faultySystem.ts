/** A file system of which single calls fail, as on a full or broken disk. */
import type { FileSystem, OpenFile } from '../../src/pipeline/store/fileSystem.js';

/** What happens to one call: the system's error, or half of the bytes taken and the system's error for the rest. */
export type Fault = 'ENOSPC' | 'EIO' | 'short';

/** One call that changes a disk. */
export interface Call {
  readonly name: string;
  /** What it is for: the number at the end of a file that is yet to be renamed is left out. */
  readonly path: string;
  /** How many of this name and path there were before. */
  readonly nth: number;
}

export interface FaultySystem extends FileSystem {
  /** All calls so far, in order. */
  readonly calls: readonly Call[];
}

export const sameCall = (a: Call, b: Call): boolean =>
  a.name === b.name && a.path === b.path && a.nth === b.nth;

const failed = (code: string, { name, path }: Call): Error =>
  Object.assign(new Error(`${code}: ${name} '${path}'`), { code });

/**
 * Passes every call on, but for one.
 *
 * @param at which one fails, counted from 0, or like which; none by default
 * @param fault how; `short` only makes sense where bytes are written, and fails like ENOSPC elsewhere
 * @param lasts whether all that would write bytes fail from then on, as on a disk that stays full
 */
export function faultySystem(
  system: FileSystem,
  { at = -1, fault = 'ENOSPC', lasts = false }: { at?: number | Call; fault?: Fault; lasts?: boolean } = {},
): FaultySystem {
  const calls: Call[] = [];
  let isFull = false;
  /** What a write that took half is followed by. */
  let isNextFull = false;
  const seen = new Map<string, number>();
  const count = (name: string, given: string): { call: Call; isHit: boolean } => {
    const path = given.replace(/\.\d+$/, '');
    const key = `${name} ${path}`;
    const call = { name, path, nth: seen.get(key) ?? 0 };
    seen.set(key, call.nth + 1);
    const index = calls.push(call) - 1;
    return { call, isHit: typeof at === 'number' ? index === at : sameCall(call, at) };
  };
  const code = fault === 'EIO' ? 'EIO' : 'ENOSPC';
  const step = async <Result>(name: string, path: string, work: () => Promise<Result>): Promise<Result> => {
    const { call, isHit } = count(name, path);
    if (isHit) throw failed(code, call);
    return await work();
  };
  const watch = (file: OpenFile, path: string): OpenFile => ({
    size: () => file.size(),
    async write(bytes, position) {
      const { call, isHit } = count('write', path);
      if (isFull || isNextFull) {
        isNextFull = false;
        throw failed('ENOSPC', call);
      }
      if (!isHit) return await file.write(bytes, position);
      isFull = lasts;
      isNextFull = fault === 'short';
      if (fault !== 'short') throw failed(code, call);
      return await file.write(bytes.subarray(0, Math.floor(bytes.length / 2)), position);
    },
    truncate: (length) => step('truncate', path, () => file.truncate(length)),
    sync: () => step('sync', path, () => file.sync()),
    // A descriptor goes in any case.
    async close() {
      await file.close();
      await step('close', path, async () => {});
    },
  });
  return {
    calls,
    makeFolders: (path) => step('makeFolders', path, () => system.makeFolders(path)),
    makeFolder: (path) => step('makeFolder', path, () => system.makeFolder(path)),
    open: (path, which) => step('open', path, async () => watch(await system.open(path, which), path)),
    rename: (from, to) => step('rename', to, () => system.rename(from, to)),
    remove: (path) => step('remove', path, () => system.remove(path)),
    syncFolder: (path) => step('syncFolder', path, () => system.syncFolder(path)),
  };
}
