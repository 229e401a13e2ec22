/** One input after the other: made, read, and judged. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, DataError, ShapeError, StoreError } from '../../src/errors.js';
import { writeFiles } from '../support/imageFiles.js';
import { Draws } from './draws.js';
import type { Files } from './folders.js';
import { type Reader, readers } from './readers.js';

/** Milliseconds that an input may take. */
export const LONGEST = 1000;
/** Inputs of a reader, however small its share. */
const FEWEST = 40;
/** Characters that a message may have: it is to be read. */
const LONGEST_MESSAGE = 3000;

/** The errors that a reader may end with: those that say what is wrong with a file. */
const ALLOWED = [DataError, ConfigError, StoreError, ShapeError];

/** Names one input for ever. */
export interface InputKey {
  readonly reader: string;
  readonly seed: number;
  readonly index: number;
}

export interface Outcome {
  readonly key: InputKey;
  readonly accepted: boolean;
  readonly milliseconds: number;
  /** What is wrong with the reader; null where nothing is. */
  readonly fault: string | null;
}

export const readerNamed = (name: string): Reader => {
  const reader = readers.find((each) => each.name === name);
  if (reader === undefined)
    throw new Error(`no reader ${name}; there are ${readers.map((each) => each.name).join(', ')}`);
  return reader;
};

export const filesOf = ({ reader, seed, index }: InputKey): Files =>
  readerNamed(reader).make(new Draws(reader, seed, index));

/** A folder for inputs, in memory where the machine has such a place. */
export const makeScratch = async (): Promise<string> =>
  await mkdtemp('/dev/shm/hypergrad-fuzz-').catch(() => mkdtemp(join(tmpdir(), 'hypergrad-fuzz-')));

/** Why an error is none that a reader may end with; null where it is one. */
function faultOf(error: unknown): string | null {
  if (!ALLOWED.some((kind) => error instanceof kind)) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { message } = error as Error;
  if (message.length > LONGEST_MESSAGE)
    return `a message of ${message.length} characters: ${message.slice(0, 200)}`;
  return /[.?]$/.test(message.trim()) ? null : `a message that is no sentence: ${message}`;
}

/** Reads one input; `scratch` is a folder whose content may be replaced. */
async function readOnce(key: InputKey, files: Files, scratch: string): Promise<Outcome> {
  const reader = readerNamed(key.reader);
  const folder = join(scratch, 'input');
  if (reader.onDisk) {
    await rm(folder, { recursive: true, force: true });
    await writeFiles(folder, files);
  }
  const start = performance.now();
  let accepted = true;
  let fault: string | null = null;
  try {
    await reader.read(files, folder);
  } catch (error) {
    accepted = false;
    fault = faultOf(error);
  }
  return { key, accepted, fault, milliseconds: performance.now() - start };
}

/** What a reader makes of an input. One that takes too long is read again: the machine may have been busy. */
export async function judge(key: InputKey, scratch: string): Promise<Outcome> {
  const files = filesOf(key);
  let outcome = await readOnce(key, files, scratch);
  for (let again = 0; again < 2 && outcome.milliseconds > LONGEST; again += 1) {
    outcome = await readOnce(key, files, scratch);
  }
  if (outcome.fault !== null || outcome.milliseconds <= LONGEST) return outcome;
  return { ...outcome, fault: `${Math.round(outcome.milliseconds)} ms, three times` };
}

/** So many inputs, each reader's share of them. */
export function* inputs(count: number, seed: number): Generator<InputKey> {
  const whole = readers.reduce((sum, { weight }) => sum + weight, 0);
  for (const { name, weight } of readers) {
    const share = Math.max(FEWEST, Math.ceil((count * weight) / whole));
    for (let index = 0; index < share; index += 1) yield { reader: name, seed, index };
  }
}
