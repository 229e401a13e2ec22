/** What several of the bench's commands read from their command lines. */
import { InvalidArgumentError } from 'commander';

/** A whole number of at least 1. Throws `InvalidArgumentError`, which commander tells with the option's name. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return Number(text);
}
