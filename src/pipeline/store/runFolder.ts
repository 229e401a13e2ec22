/**
 * A run is a folder: artefacts, and a manifest that says which stage made which of them from what. Nothing here
 * knows what a stage does. Files appear whole or not at all, and neither they nor the manifest hold times, so
 * that the same run gives the same bytes.
 */
import { createHash } from 'node:crypto';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { StoreError } from '../../errors.js';
import { fileLimits, openRegular, readBounded } from './boundedFile.js';
import { type Disk, diskOver, isUnfinished } from './disk.js';
import { exists } from './exists.js';
import { readingFailure } from './failures.js';
import { type FileSystem, nodeFileSystem } from './fileSystem.js';
import { type FolderLock, lockFolder } from './lock.js';
import {
  decodeManifest,
  encodeManifest,
  hashInputs,
  MANIFEST,
  plainCopy,
  type StageRecord,
} from './manifest.js';
import { withinFolder } from './withinFolder.js';

/** A file's time tells two contents apart once it is so old. */
const SETTLED_MILLISECONDS = 100;

/** Bytes of a file that are hashed at a time. */
const CHUNK = 2 ** 20;

/** Whether a name is one of a file in a folder: it does not lead out of it, and is none that an unfinished write has. */
export function isInside(name: string): boolean {
  const inside = normalize(name);
  const leadsOut = /^([/\\]|\.\.([/\\]|$)|[a-z]:)/i.test(inside);
  return name !== '' && inside !== '.' && !leadsOut && !isUnfinished(inside);
}

/** A run's folder, locked while it is open. Every method throws `StoreError`, naming the file. */
export class RunFolder {
  /** The folder, as it was given to `open`. */
  readonly path: string;
  /** Writes into the folder as long as it is ours; paths are those of `pathOf`. */
  readonly disk: Disk;
  readonly #lock: FolderLock;
  readonly #stages: Map<string, StageRecord>;
  /** Hashes of files by name, each with what tells the content that was read from a later one. */
  readonly #hashes = new Map<string, { readonly written: string; readonly hash: string }>();

  private constructor(path: string, lock: FolderLock, disk: Disk, stages: Map<string, StageRecord>) {
    this.path = path;
    this.disk = disk;
    this.#lock = lock;
    this.#stages = stages;
  }

  /**
   * Opens a run's folder, and creates it where there is none. Throws `StoreError` when it cannot be created or
   * written, when another process has it open, and when its manifest is damaged.
   *
   * @param system by which everything is written; tests make single calls of it fail
   */
  static async open(path: string, system: FileSystem = nodeFileSystem): Promise<RunFolder> {
    await diskOver(system).makeFolder(path);
    const lock = await lockFolder(path, system);
    try {
      const stages = await readManifest(join(path, MANIFEST));
      const disk = withinFolder(
        path,
        diskOver(system, () => lock.check()),
      );
      const folder = new RunFolder(path, lock, disk, stages ?? new Map());
      // Only a folder with a manifest is known to be a run's: elsewhere nothing is removed.
      if (stages) await folder.#removeUnfinished();
      else await folder.#writeManifest();
      return folder;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Gives the folder free for others. */
  async close(): Promise<void> {
    await this.#lock.release();
  }

  /** Writes a file whole: readers see the old content or the new. `name` is relative to the folder. */
  async writeBytes(name: string, bytes: Uint8Array): Promise<void> {
    await this.disk.writeWhole(this.pathOf(name), bytes);
  }

  /** Writes a text in UTF-8, whole. */
  async writeText(name: string, text: string): Promise<void> {
    await this.disk.writeWhole(this.pathOf(name), text);
  }

  /** A file's content. Throws `StoreError` when it cannot be read. */
  async readBytes(name: string): Promise<Uint8Array> {
    const path = this.pathOf(name);
    try {
      return await readBounded(path, fileLimits.data);
    } catch (error) {
      throw readingFailure(path, error, 'Run the stage that makes it again.');
    }
  }

  /** Bytes of a file; 0 where there is none. */
  async sizeOf(name: string): Promise<number> {
    return await stat(this.pathOf(name)).then(
      ({ size }) => size,
      () => 0,
    );
  }

  /** Bytes that may still be written to the disk on which the folder lies; null where it does not say. */
  async freeBytes(): Promise<number | null> {
    return await statfs(this.path).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => null,
    );
  }

  /** Removes a file, or a folder with all that is in it, if it is there. */
  async remove(name: string): Promise<void> {
    await this.disk.remove(this.pathOf(name));
  }

  /** Whether the folder has such a file. */
  async exists(name: string): Promise<boolean> {
    return exists(this.pathOf(name));
  }

  /** Where a file of the folder lies. Throws `StoreError` for a name that leads out of it. */
  pathOf(name: string): string {
    return pathIn(this.path, name);
  }

  /** Whether a stage was finished with the same inputs, and everything it made is still there unchanged. */
  async stageIsDone(stage: string, inputs: string): Promise<boolean> {
    const record = this.#stages.get(stage);
    if (record?.inputs !== inputs) return false;
    for (const [file, expected] of Object.entries(record.artefacts)) {
      if ((await this.hashOf(file)) !== expected) return false;
    }
    return true;
  }

  /** SHA-256 of a file's content; null where there is no such file. */
  async hashOf(name: string): Promise<string | null> {
    return (await this.exists(name)) ? await this.#hashOf(name) : null;
  }

  /** What the manifest says about a stage or a part; undefined where it was not finished. */
  recordOf(stage: string): StageRecord | undefined {
    return this.#stages.get(stage);
  }

  /** Adds what a finished stage read, where it does not say: the manifest of an earlier version did not keep it. */
  async completeRecord(stage: string, reads: Readonly<Record<string, unknown>>): Promise<void> {
    const record = this.#stages.get(stage);
    if (record === undefined || record.reads !== undefined) return;
    this.#stages.set(stage, { ...record, reads: plainCopy(reads) });
    await this.#writeManifest();
  }

  /**
   * Enters a finished stage in the manifest: the hash of what it read, the files that it made, and what it read. What its parts,
   * whose names begin with the stage's and a slash, have entered already is not read again.
   */
  async recordStage(
    stage: string,
    inputs: string,
    files: readonly string[],
    reads?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const parts = [...this.#stages].filter(([name]) => name.startsWith(`${stage}/`));
    const known = Object.assign({}, ...parts.map(([, part]) => part.artefacts)) as Record<string, string>;
    const artefacts: [string, string][] = [];
    for (const file of [...files].sort()) artefacts.push([file, known[file] ?? (await this.#hashOf(file))]);
    this.#stages.set(stage, {
      inputs,
      artefacts: Object.fromEntries(artefacts),
      ...(reads === undefined ? {} : { reads: plainCopy(reads) }),
    });
    await this.#writeManifest();
  }

  /**
   * Strikes a stage that is about to run again from the manifest, on request its parts too: what it left is no longer vouched
   * for.
   */
  async forgetStage(stage: string, { parts = false }: { readonly parts?: boolean } = {}): Promise<void> {
    const struck = [...this.#stages.keys()].filter(
      (name) => name === stage || (parts && name.startsWith(`${stage}/`)),
    );
    for (const name of struck) this.#stages.delete(name);
    if (struck.length > 0) await this.#writeManifest();
  }

  /** SHA-256 of a file, which need not fit into memory. What was not written since it was read last is not read again. */
  async #hashOf(name: string): Promise<string> {
    const path = this.pathOf(name);
    const found = await stat(path, { bigint: true }).catch(() => null);
    const written = found && `${found.ino}:${found.size}:${found.mtimeNs}`;
    const known = this.#hashes.get(name);
    if (written !== null && known?.written === written) return known.hash;
    const hash = await hashFile(path);
    // A file may be written twice within a tick of the clock that its time is taken from.
    const isSettled = found !== null && Date.now() - Number(found.mtimeMs) > SETTLED_MILLISECONDS;
    if (written !== null && isSettled) this.#hashes.set(name, { written, hash });
    return hash;
  }

  /** Removes what a killed process was in the middle of writing. */
  async #removeUnfinished(): Promise<void> {
    for (const path of await unfinishedIn(this.path)) await this.disk.remove(path);
  }

  async #writeManifest(): Promise<void> {
    await this.writeText(MANIFEST, encodeManifest(this.#stages));
  }

  /** One hash over all that a finished stage made, for the inputs of the stages that read it. */
  artefactHash(stage: string): string {
    const record = this.#stages.get(stage);
    if (!record)
      throw new StoreError(`The run folder ${this.path} holds no finished stage ${stage}. Run it first.`);
    return hashInputs(record.artefacts);
  }
}

/** Where a file of a run's folder lies. Throws `StoreError` for a name that leads out of it. */
function pathIn(folder: string, name: string): string {
  if (!isInside(name)) {
    throw new StoreError(`${JSON.stringify(name)} is no name for a file of the run folder ${folder}.`);
  }
  return join(folder, normalize(name));
}

/** SHA-256 of a file, which need not fit into memory. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    // A pipe or a device would never end. What was opened is read, whatever has its name by now; the stream closes it.
    const { file } = await openRegular(path);
    for await (const chunk of file.createReadStream({ highWaterMark: CHUNK }))
      hash.update(chunk as Uint8Array);
  } catch (error) {
    throw readingFailure(path, error, 'Run the stage that makes it again.');
  }
  return hash.digest('hex');
}

/** What a folder says of itself to those who only look: nothing is locked, created or written. */
export type FolderView = Pick<RunFolder, 'recordOf' | 'hashOf' | 'exists' | 'readBytes' | 'pathOf'>;

/** Looks at a run's folder, or at one that is not there yet. Throws `StoreError` when its manifest is damaged. */
export async function viewFolder(path: string): Promise<FolderView> {
  const stages = (await readManifest(join(path, MANIFEST))) ?? new Map<string, StageRecord>();
  const pathOf = (name: string): string => pathIn(path, name);
  return {
    pathOf,
    exists: (name) => exists(pathOf(name)),
    recordOf: (stage) => stages.get(stage),
    hashOf: async (name) => ((await exists(name)) ? await hashFile(pathOf(name)) : null),
    readBytes: (name) =>
      readBounded(pathOf(name), fileLimits.data).catch((error: unknown) => {
        throw readingFailure(pathOf(name), error, 'Make it readable.');
      }),
  };
}

/** The manifest's stages; undefined where there is no manifest yet. */
async function readManifest(path: string): Promise<Map<string, StageRecord> | undefined> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readBounded(path, fileLimits.record));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw readingFailure(path, error, 'Make it readable, or choose another folder with --out DIR.');
  }
  return decodeManifest(text, path);
}

/** Paths of what processes that were killed were in the middle of writing. */
async function unfinishedIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw readingFailure(folder, error, 'Make all of it readable, or choose another folder with --out DIR.');
  });
  return entries
    .filter((entry) => entry.isFile() && isUnfinished(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}
