/** Values of options as commands read them. */
import { ConfigError } from '../errors.js';

/** An option that may be given several times: its values, in order. */
export const collect = (value: string, values: readonly string[] = []): string[] => [...values, value];

const MOST = Number.MAX_SAFE_INTEGER;

/** A parser of an option's whole number within bounds; it throws `ConfigError`. */
export const wholeNumber =
  (option: string, { least, most = MOST }: { readonly least: number; readonly most?: number }) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const bounds = most === MOST && !(value > most) ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new ConfigError(`${option} ${JSON.stringify(text)} must be a whole number ${bounds}.`);
  };

/** Throws `ConfigError` where a file's name has none of the endings; a message names the first. */
export function requireEnding(
  option: string,
  file: string,
  ...endings: readonly [string, ...string[]]
): void {
  if (endings.some((ending) => file.toLowerCase().endsWith(ending))) return;
  const article = endings[0] === '.html' ? 'an' : 'a';
  throw new ConfigError(
    `${option} ${JSON.stringify(file)} must be the name of ${article} ${endings[0]} file.`,
  );
}
