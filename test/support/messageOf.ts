import { expect } from 'vitest';
import { ConfigError } from '../../src/errors.js';

/** The sentence of the ConfigError that an attempt ends with. */
export function messageOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('nothing was thrown');
}
