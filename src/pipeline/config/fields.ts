/**
 * Kinds of fields that the configuration is made of. Every message completes "PATH = VALUE …", so that it reads as one
 * sentence: "distil.batch = 0 must be …".
 */
import { z } from 'zod';
import { nearest } from '../../suggest.js';

export function wholeNumber(smallest: number, largest: number) {
  const error = `must be a whole number from ${smallest} to ${largest}`;
  return z.number({ error }).int({ error }).min(smallest, { error }).max(largest, { error });
}

/** A number above 0. */
export function positive(largest: number) {
  const error = `must be a number above 0, at most ${largest}`;
  return z.number({ error }).gt(0, { error }).max(largest, { error });
}

export function between(smallest: number, largest: number) {
  const error = `must be a number from ${smallest} to ${largest}`;
  return z.number({ error }).min(smallest, { error }).max(largest, { error });
}

/** A share of a whole: above 0, at most 1. */
export const fraction = () => positive(1);

export function momentum() {
  const error = 'must be a number from 0 up to, but not including, 1';
  return z.number({ error }).min(0, { error }).lt(1, { error });
}

export const weightDecay = () => between(0, 1);

export const flag = () => z.boolean({ error: 'must be true or false' });

/** A choice among a few words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}` });

/** Number of images, or null for all there are. */
export const imageCount = () => wholeNumber(1, 10_000_000).nullable();

/** A group of fields: unknown fields are errors, missing ones take their defaults. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') {
        const names = Object.keys(shape);
        const meant = nearest(issue.keys[0]!, names);
        const guess = meant === undefined ? '' : ` (did you mean ${meant}?)`;
        return `has no field ${issue.keys.join(', ')}${guess}; its fields are ${names.join(', ')}`;
      }
      return `must be a group of fields (${Object.keys(shape).join(', ')})`;
    },
  });
}
