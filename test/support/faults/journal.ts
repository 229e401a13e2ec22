/**
 * Looks on, inside a process that is to be killed, at all that it changes below one folder. It can end the process at any one of
 * these changes, and writes down what a power cut could still take back. To be called before anything else loads `node:fs`.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { devNull } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';

/** One change of the folder, with paths relative to it. */
export interface Change {
  readonly id: number;
  readonly kind: 'create' | 'write' | 'sync' | 'rename' | 'remove' | 'makeFolder';
  readonly path: string;
  /** Of a rename: the new name. */
  readonly to?: string;
  /** Where the journal keeps what the change replaces or removes. */
  readonly saved?: string;
  /** Bytes of the file: those that a sync flushes, or those in front of what a write changes. */
  readonly bytes?: number;
  /** Of a write: whether it is also flushed to disk. */
  readonly isFlushed?: boolean;
}

/** The end of a change; a journal holds both, each in a line. */
export interface Done {
  readonly done: number;
}

/** When in a change the process ends: before it, after half of the bytes of a write, or after it. */
export type Moment = 'before' | 'half' | 'after';

export interface JournalOptions {
  readonly folder: string;
  /** Where the journal and what it saves lie, outside of the folder; null where nothing is written down. */
  readonly keep: string | null;
  /** Told of every change before it is made; says when in it the process is to end, if at all. */
  readonly momentOf: (change: Omit<Change, 'id'>) => Moment | null;
}

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Outline = Omit<Change, 'id' | 'saved'>;
/** What a call changes, and how half of it is done; null where it changes nothing in the folder. */
type Describe = (self: unknown, args: readonly unknown[]) => { change: Outline; half?: () => void } | null;

const kill = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};

/** Wraps what `node:fs` offers; from then on the process is watched. */
export async function watchChanges({ folder, keep, momentOf }: JournalOptions): Promise<void> {
  const root = resolve(folder);
  const original = { ...fs };
  const pathOfDescriptor = new Map<number, string>();
  const log = keep === null ? null : original.openSync(join(keep, 'journal.jsonl'), 'a');
  let nextId = 0;
  const note = (line: Change | Done): void => {
    if (log !== null) original.writeSync(log, `${JSON.stringify(line)}\n`);
  };

  /** A path of the folder or below it, relative to it; null for all others. */
  const inside = (path: unknown): string | null => {
    if (typeof path !== 'string' && !(path instanceof URL) && !Buffer.isBuffer(path)) return null;
    const below = relative(root, resolve(String(path)));
    return below === '..' || below.startsWith(`..${sep}`) ? null : below || '.';
  };
  const descriptorOf = (target: unknown): number | null => {
    if (typeof target === 'number') return target;
    const fd = typeof target === 'object' && target !== null && 'fd' in target ? target.fd : null;
    return typeof fd === 'number' ? fd : null;
  };
  const pathOf = (target: unknown): string | null => {
    const fd = descriptorOf(target);
    return fd === null ? inside(target) : (pathOfDescriptor.get(fd) ?? null);
  };

  /** Before a change: writes it down, keeps what it replaces, and ends the process where it is to end. */
  const begin = (outline: Outline, half: (() => void) | undefined): { id: number; moment: Moment | null } => {
    const moment = momentOf(outline);
    if (moment === 'before') kill();
    const id = nextId++;
    const replaced = outline.kind === 'remove' ? outline.path : outline.to;
    let saved: string | undefined;
    if (keep !== null && replaced !== undefined) {
      saved = `saved-${process.pid}-${id}`;
      try {
        original.linkSync(join(root, replaced), join(keep, saved));
      } catch {
        // Nothing is replaced, or a folder is removed.
        saved = undefined;
      }
    }
    note({ id, ...outline, ...(saved === undefined ? {} : { saved }) });
    if (moment === 'half') {
      half?.();
      kill();
    }
    return { id, moment };
  };
  const end = ({ id, moment }: { id: number; moment: Moment | null }): void => {
    note({ done: id });
    if (moment === 'after') kill();
  };

  const withPromise = (call: Call, describe: Describe): Call =>
    async function (this: unknown, ...args) {
      const described = describe(this, args);
      if (described === null) return await call.apply(this, args);
      const begun = begin(described.change, described.half);
      const result = await call.apply(this, args);
      end(begun);
      return result;
    };
  const withCallback = (call: Call, describe: Describe): Call =>
    function (this: unknown, ...args) {
      const described = describe(this, args);
      const callback = args.at(-1);
      if (described === null || typeof callback !== 'function') return call.apply(this, args);
      const begun = begin(described.change, described.half);
      return call.apply(this, [
        ...args.slice(0, -1),
        (error: unknown, ...results: unknown[]) => {
          if (error === null || error === undefined) end(begun);
          callback(error, ...results);
        },
      ]);
    };

  /** Where in the file a call to `write` puts its bytes; null where it goes on from the last. */
  const positionOf = ([, , options, , position]: readonly unknown[]): number | null => {
    const given =
      typeof options === 'object' && options !== null && 'position' in options ? options.position : position;
    return typeof given === 'number' ? given : null;
  };
  const writeHalf = (args: readonly unknown[], append: boolean): void => {
    const [target, data] = args;
    if (typeof data !== 'string' && !ArrayBuffer.isView(data)) return;
    const bytes =
      typeof data === 'string'
        ? Buffer.from(data)
        : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const half = bytes.subarray(0, bytes.length >> 1);
    const fd = descriptorOf(target);
    if (fd !== null) original.writeSync(fd, half, 0, half.length, positionOf(args));
    else if (append) original.appendFileSync(String(target), half);
    else original.writeFileSync(String(target), half);
  };
  const sizeOf = (path: string): number =>
    original.statSync(join(root, path), { throwIfNoEntry: false })?.size ?? 0;
  const isFlushed = (options: unknown): boolean =>
    typeof options === 'object' && options !== null && 'flush' in options && options.flush === true;
  const opensToWrite = (flags: unknown): boolean =>
    typeof flags === 'string'
      ? /[wax+]/.test(flags)
      : typeof flags === 'number' && (flags & (fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0;

  const onPath =
    (kind: 'remove' | 'makeFolder'): Describe =>
    (_, [path]) => {
      const below = inside(path);
      const changes = below !== null && original.existsSync(join(root, below)) === (kind === 'remove');
      return changes ? { change: { kind, path: below } } : null;
    };
  const write =
    (append: boolean): Describe =>
    (_, args) => {
      const [target, , options] = args;
      const path = pathOf(target);
      if (path === null) return null;
      const bytes = append ? sizeOf(path) : 0;
      const change: Outline = {
        kind: 'write',
        path,
        bytes,
        ...(isFlushed(options) ? { isFlushed: true } : {}),
      };
      return { change, half: () => writeHalf(args, append) };
    };
  const truncate: Describe = (_, [target, length]) => {
    const path = pathOf(target);
    if (path === null) return null;
    return { change: { kind: 'write', path, bytes: Math.min(sizeOf(path), Number(length ?? 0)) } };
  };
  const sync: Describe = (_, [target]) => {
    const fd = descriptorOf(target);
    const path = pathOf(target);
    if (fd === null || path === null) return null;
    return { change: { kind: 'sync', path, bytes: original.fstatSync(fd).size } };
  };
  const create: Describe = (_, [path, flags]) => {
    const below = inside(path);
    if (below === null || !opensToWrite(flags)) return null;
    const isThere = original.existsSync(join(root, below));
    const empties =
      typeof flags === 'string' ? flags.startsWith('w') : (Number(flags) & fs.constants.O_TRUNC) !== 0;
    if (isThere && !empties) return null;
    return { change: { kind: isThere ? 'write' : 'create', path: below, bytes: 0 } };
  };
  const rename: Describe = (_, [from, to]) => {
    const [path, target] = [inside(from), inside(to)];
    return path === null || target === null ? null : { change: { kind: 'rename', path, to: target } };
  };

  const byName: Readonly<Record<string, Describe>> = {
    ...{ open: create, rename, write: write(true), writev: write(true), writeFile: write(false) },
    ...{
      appendFile: write(true),
      truncate: write(false),
      ftruncate: write(true),
      fsync: sync,
      fdatasync: sync,
    },
    ...{
      mkdir: onPath('makeFolder'),
      unlink: onPath('remove'),
      rm: onPath('remove'),
      rmdir: onPath('remove'),
    },
  };
  /** A file handle's method, described by the function that takes the handle first. */
  const ofHandle =
    (describe: Describe): Describe =>
    (self, args) =>
      describe(self, [self, ...args]);
  const handleMethods: Readonly<Record<string, Describe>> = {
    ...{ write: ofHandle(write(true)), writev: ofHandle(write(true)), writeFile: ofHandle(write(true)) },
    ...{ appendFile: ofHandle(write(true)), truncate: ofHandle(truncate) },
    ...{ sync: ofHandle(sync), datasync: ofHandle(sync) },
  };

  const replace = (target: object, name: string, wrap: (call: Call) => Call): void => {
    const call: unknown = Reflect.get(target, name);
    if (typeof call === 'function') Reflect.set(target, name, wrap(call as Call));
  };
  const probe = await fs.promises.open(devNull);
  const handlePrototype: object = Object.getPrototypeOf(probe);
  await probe.close();
  for (const [name, describe] of Object.entries(handleMethods)) {
    replace(handlePrototype, name, (call) => withPromise(call, describe));
  }
  for (const [name, describe] of Object.entries(byName)) {
    replace(fs.promises, name, (call) => withPromise(call, describe));
    replace(fs, name, (call) => withCallback(call, describe));
  }
  // Whoever opens a file is remembered, so that its descriptor has a name.
  const remember = (fd: number | null, path: unknown): void => {
    const below = inside(path);
    if (fd !== null && below !== null) pathOfDescriptor.set(fd, below);
    else if (fd !== null) pathOfDescriptor.delete(fd);
  };
  replace(fs.promises, 'open', (call) => async (...args) => {
    const handle = await call(...args);
    remember(descriptorOf(handle), args[0]);
    return handle;
  });
  replace(fs, 'open', (call) => (...args) => {
    const callback = args.at(-1) as Call;
    return call(...args.slice(0, -1), (error: unknown, fd: unknown) => {
      if (typeof fd === 'number') remember(fd, args[0]);
      callback.call(null, error, fd);
    });
  });
  syncBuiltinESMExports();
}
