/** What the system says when a file cannot be read or written, in words: what it is, and what to do about it. */
import { StoreError } from '../../errors.js';
import { UnfitFile } from './boundedFile.js';

interface Words {
  readonly reason: string;
  /** What to do first, as an order; absent where only the same command again, or another folder, can help. */
  readonly remedy?: string;
}

const FULL = 'Free some space';
const words: Readonly<Record<string, Words>> = {
  ENOSPC: { reason: 'the disk is full', remedy: FULL },
  EDQUOT: { reason: 'your share of the disk is used up', remedy: FULL },
  EFBIG: {
    reason: 'the disk takes no file so large',
    remedy: 'Choose a folder on another disk with --out DIR',
  },
  EIO: { reason: 'the disk reports a fault of its own (EIO)', remedy: 'See that the disk is sound' },
  ESTALE: { reason: 'the network disk has gone', remedy: 'See that it is there again' },
  EROFS: {
    reason: 'the disk is read-only',
    remedy: 'Make it writable or choose another folder with --out DIR',
  },
  EMFILE: {
    reason: 'too many files are open',
    remedy: 'Close other programs or raise the limit (ulimit -n)',
  },
  ENFILE: { reason: 'too many files are open', remedy: 'Close other programs' },
  ENOENT: { reason: 'it does not exist' },
  ENOTDIR: {
    reason: 'a file stands where a folder is needed',
    remedy: 'Move it away or choose another folder with --out DIR',
  },
  EISDIR: { reason: 'a folder stands where a file is needed', remedy: 'Move it away' },
  ENAMETOOLONG: { reason: 'its name is too long', remedy: 'Choose a shorter one with --out DIR' },
  EACCES: {
    reason: 'writing or reading there is not permitted',
    remedy: 'Permit it or choose another folder with --out DIR',
  },
};
const byCode: Readonly<Record<string, Words>> = { ...words, EPERM: words.EACCES!, EEXIST: words.ENOTDIR! };

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Why, as the second half of a sentence. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return (code === undefined ? undefined : byCode[code]?.reason) ?? code ?? (error as Error).message;
}

/** What somebody should do, in a sentence that ends in doing the same again. */
function remedyOf(error: unknown): string {
  const remedy = byCode[codeOf(error) ?? '']?.remedy ?? 'Mend that';
  return `${remedy} and run the same command again: what is finished is kept.`;
}

/** The error of something that could not be done with a file, such as `written`. */
export function writingFailure(
  path: string,
  done: 'written' | 'removed' | 'created',
  cause: unknown,
): StoreError {
  return new StoreError(`${path} cannot be ${done}: ${reasonOf(cause)}. ${remedyOf(cause)}`, { cause });
}

/** The error of a file that could not be read. */
export function readingFailure(path: string, cause: unknown, advice: string): StoreError {
  const reason = cause instanceof UnfitFile ? `it ${cause.message}` : reasonOf(cause);
  return new StoreError(`${path} cannot be read: ${reason}. ${advice}`, { cause });
}
