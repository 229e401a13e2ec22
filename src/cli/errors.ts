/** How a command that fails tells it: one sentence on stderr and an exit code; a stack trace only when asked for. */
import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { EXIT_CODES, HypergradError, messageOf } from '../errors.js';
import { terminalText } from './terminalText.js';

export interface Failure {
  /** What goes to stderr; empty where it was said already. */
  readonly text: string;
  readonly exitCode: number;
}

/** What to say of an error that ended a command. `debug` adds the stack trace and the causes. */
export function describeFailure(error: unknown, debug: boolean): Failure {
  // Commander has printed its message, or the help or version that was asked for (exit code 0). A command line that does not fit
  // is as a configuration that does not.
  if (error instanceof CommanderError) {
    return { text: '', exitCode: error.exitCode === 0 ? 0 : EXIT_CODES.config };
  }
  const details = debug ? `${terminalText(inspect(error))}\n` : '';
  if (error instanceof HypergradError) {
    return { text: `hypergrad: ${terminalText(error.message)}\n${details}`, exitCode: error.exitCode };
  }
  const message = messageOf(error).replace(/\.$/, '');
  const advice = debug ? '' : '; run again with --debug for details';
  return {
    text: `hypergrad: ${terminalText(message) || 'Unnamed error'}. This is a fault of hypergrad${advice}.\n${details}`,
    exitCode: EXIT_CODES.failure,
  };
}

/** Commander's message ("error: unknown option '--sed'\n(Did you mean --seed?)") in one line. */
export function usageSentence(text: string, commandName: string): string {
  const [problem = '', suggestion] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const sentence = problem.endsWith('.') ? problem : `${problem}.`;
  const advice = suggestion?.replace(/^\((.*)\)$/, '$1') ?? `See ${commandName} --help.`;
  return `hypergrad: ${sentence} ${advice}\n`;
}
