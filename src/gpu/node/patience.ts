import { ConfigError } from '../../errors.js';
import { DEFAULT_PATIENCE } from '../waits.js';

const VARIABLE = 'HYPERGRAD_DEVICE_TIMEOUT';

/** The longest that a timer can be set to, in seconds; some weeks. */
const LONGEST = 2e6;

/**
 * Seconds that a device may be silent while it is waited for: the environment variable HYPERGRAD_DEVICE_TIMEOUT, else half an
 * hour.
 * @throws ConfigError when the variable holds no number of seconds.
 */
export function patienceOf(text: string | undefined = process.env[VARIABLE]): number {
  if (text === undefined || text === '') return DEFAULT_PATIENCE;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= LONGEST) return seconds;
  throw new ConfigError(
    `The environment variable ${VARIABLE} is ${JSON.stringify(text)}, but must be a number of seconds above 0, at most ${LONGEST}.`,
  );
}
