/**
 * What a command says, and where: answers on stdout, talk about the work on stderr or, without `--json`, beside the answer.
 * Texts may hold names from files, so that none reaches the terminal with control characters.
 */
import { silentProgress } from '../pipeline/progress.js';
import { type TerminalProgress, terminalProgress } from './terminalProgress.js';
import { terminalText, wrapProse } from './terminalText.js';

/** The options that decide it; `--quiet` stands before or after any command. */
export interface VoiceFlags {
  /** Answer in JSON; a file's name where the command takes one. */
  readonly json?: boolean | string;
  /** Only answers and errors. */
  readonly quiet?: boolean;
}

export interface Voice {
  /** Says the answer in plain words. With `--json` it is no more than talk, for the answer is the JSON. */
  say(text: string): void;
  /** Says what the work is done on, or what is under way. */
  remark(text: string): void;
  /** Says what is under way, on stderr whatever the options. */
  step(text: string): void;
}

/** The voice of a command that was given these options. */
export function voiceOf({ json, quiet = false }: VoiceFlags): Voice {
  const print = (stream: NodeJS.WriteStream, text: string): void => {
    const shown = terminalText(text);
    stream.write(`${stream.isTTY ? wrapProse(shown, stream.columns) : shown}\n`);
  };
  const talk = json ? process.stderr : process.stdout;
  return {
    say(text) {
      if (!json || !quiet) print(talk, text);
    },
    remark(text) {
      if (!quiet) print(talk, text);
    },
    step(text) {
      if (!quiet) print(process.stderr, text);
    },
  };
}

/** How far the stages are, on stderr; nothing with `--quiet`. */
export function progressFor({ quiet = false }: VoiceFlags): TerminalProgress {
  return quiet ? { ...silentProgress, close() {} } : terminalProgress(process.stderr);
}
