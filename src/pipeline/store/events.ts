/** events.jsonl: what happened in a run, one JSON object a line, in order. */
import { readFile } from 'node:fs/promises';
import { StoreError } from '../../errors.js';
import { fileLimits, readBounded } from './boundedFile.js';
import { type Disk, plainDisk } from './disk.js';
import { readingFailure } from './failures.js';
import { parseJson } from './strictJson.js';

/** Name of the file in a run's folder. */
export const EVENTS = 'events.jsonl';

/** One event of a stage: plain values by name, no times, so that the same run gives the same lines. */
export type RunEvent = { readonly stage: string } & { readonly [name: string]: unknown };

/** The events of a file, in order; none when there is no file. A last line that a kill cut short is left out. */
export async function readEvents(path: string): Promise<RunEvent[]> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readBounded(path, fileLimits.data));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw readingFailure(path, error, 'Make it readable, or choose another folder.');
  }
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => parseEvent(line, `${path}, line ${index + 1}`));
}

const asEvent = (value: unknown): RunEvent | null =>
  typeof value === 'object' && value !== null && 'stage' in value && typeof value.stage === 'string'
    ? (value as RunEvent)
    : null;

/** The event of a line; null where it holds none. */
export function eventOf(line: string): RunEvent | null {
  try {
    return asEvent(parseJson(line));
  } catch {
    return null;
  }
}

function parseEvent(line: string, where: string): RunEvent {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw new StoreError(`${where}: not JSON. Delete the line, or the file.`, { cause: error });
  }
  const event = asEvent(value);
  if (event !== null) return event;
  throw new StoreError(`${where}: not an event with a stage. Delete the line, or the file.`);
}

const LINE_END = '\n'.charCodeAt(0);

const linesOf = (events: readonly RunEvent[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');

/**
 * Writes events in the order of `append`. Lines are on disk once `flush` has ended; a stage flushes
 * before it writes what it would resume from, and on resuming removes what it is about to say again.
 */
export class EventLog {
  readonly #path: string;
  readonly #disk: Disk;
  #pending: RunEvent[] = [];
  /** Every operation on the file waits for the one before. */
  #queue: Promise<void> = Promise.resolve();
  /** Bytes of the file that are whole lines of ours; null before anything was written. What lies behind is written over. */
  #length: number | null = null;

  constructor(path: string, disk: Disk = plainDisk) {
    this.#path = path;
    this.#disk = disk;
  }

  /** Takes an event; it is written by the next `flush`. */
  append(event: RunEvent): void {
    this.#pending.push(event);
  }

  /**
   * Writes all events taken so far, and waits until they are on disk. Throws `StoreError`; then they are pending still, and the
   * next flush writes each once.
   */
  flush(): Promise<void> {
    return this.#next(async () => {
      // A copy: events are taken while the file is written, and those stay pending.
      const events = [...this.#pending];
      if (events.length === 0) return;
      const lines = new TextEncoder().encode(linesOf(events));
      this.#length ??= await this.#wholeLines();
      await this.#disk.extend(this.#path, this.#length, lines);
      this.#length += lines.length;
      this.#pending = this.#pending.slice(events.length);
    });
  }

  /**
   * Removes the events of a stage that is run again, those not yet written too, so that none stands twice;
   * `keep` spares some, such as the iterations before the one a stage resumes from. Throws `StoreError`.
   */
  truncateStage(stage: string, keep: (event: RunEvent) => boolean = () => false): Promise<void> {
    const stays = (event: RunEvent) => event.stage !== stage || keep(event);
    return this.#next(async () => {
      this.#pending = this.#pending.filter(stays);
      const events = await readEvents(this.#path);
      const kept = events.filter(stays);
      if (kept.length === events.length) return;
      this.#length = null;
      await this.#disk.writeWhole(this.#path, linesOf(kept));
    });
  }

  /**
   * Puts the events of stages into this order, each stage's own as they are: one that ran again told its events behind those of
   * later stages. Throws `StoreError`.
   */
  arrange(stages: readonly string[]): Promise<void> {
    const rank = ({ stage }: RunEvent): number => {
      const index = stages.indexOf(stage);
      return index < 0 ? stages.length : index;
    };
    return this.#next(async () => {
      const events = await readEvents(this.#path);
      if (events.every((event, k) => k === 0 || rank(events[k - 1]!) <= rank(event))) return;
      this.#length = null;
      const arranged = events.map((event) => [rank(event), event] as const).sort(([a], [b]) => a - b);
      await this.#disk.writeWhole(this.#path, linesOf(arranged.map(([, event]) => event)));
    });
  }

  /** Events of a stage that are on disk. Throws `StoreError`. */
  async countStage(stage: string): Promise<number> {
    await this.#queue;
    return (await readEvents(this.#path)).filter((event) => event.stage === stage).length;
  }

  /** Bytes up to the end of the last whole line: one that a kill left without its end must not be continued. */
  async #wholeLines(): Promise<number> {
    const bytes = await readFile(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new Uint8Array(0);
      throw readingFailure(this.#path, error, 'Make it readable, or choose another folder.');
    });
    return bytes.lastIndexOf(LINE_END) + 1;
  }

  #next(operation: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(operation);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
