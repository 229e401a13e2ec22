/** The losses of a run, read from its events as they are written: each call reads only what is new. */
import type { Config } from '../config/schema.js';
import { openRegular } from '../store/boundedFile.js';

/** Bytes that are read at a time; no event is longer. */
const CHUNK = 2 ** 20;
const LINE_END = '\n'.charCodeAt(0);

/** A stage's losses by its steps, which count from 1. */
export interface Curve {
  readonly steps: number[];
  readonly losses: number[];
}

/** How many of its stage's steps were done with an event; null where the event does not say. */
function stepOf(event: Readonly<Record<string, unknown>>, config: Config): number | null {
  const { stage, step, iteration, expert, epoch } = event;
  if (typeof step === 'number') return step;
  if (typeof iteration === 'number') return iteration + 1;
  if (typeof expert !== 'number' || typeof epoch !== 'number') return null;
  const { epochs } = stage === 'selfSupervisedExperts' ? config.selfSupervised.experts : config.experts;
  return expert * epochs + epoch;
}

/** Reads the losses of a file of events, which another process writes. */
export class LossReader {
  readonly #path: string;
  readonly #config: Config;
  /** Bytes that were read, up to the end of a line. */
  #offset = 0;
  /** Which file it was: a stage that begins anew has the file written anew. */
  #file: bigint | null = null;
  readonly #curves = new Map<string, Curve>();
  #innerSteps: number[] = [];

  constructor(path: string, config: Config) {
    this.#path = path;
    this.#config = config;
  }

  /** By stage, in the order in which they began. */
  get curves(): ReadonlyMap<string, Curve> {
    return this.#curves;
  }

  /** α after each iteration of the distillation. */
  get innerSteps(): readonly number[] {
    return this.#innerSteps;
  }

  /** Takes in what was written since the last call; a file that is not there, or not to be read, adds nothing. */
  async poll(): Promise<void> {
    const opened = await openRegular(this.#path).catch(() => null);
    if (opened === null) return;
    const { file } = opened;
    try {
      const { ino, size } = await file.stat({ bigint: true });
      if (ino !== this.#file || size < this.#offset) this.#forget();
      this.#file = ino;
      for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, this.#offset);
        const end = buffer.subarray(0, bytesRead).lastIndexOf(LINE_END) + 1;
        if (end === 0 && bytesRead < CHUNK) return;
        // What is longer than any event is none.
        this.#offset += end === 0 ? bytesRead : end;
        for (const line of buffer.subarray(0, end).toString('utf8').split('\n')) this.#take(line);
        if (bytesRead < CHUNK) return;
      }
    } catch {
      // Until the next call.
    } finally {
      await file.close();
    }
  }

  #forget(): void {
    this.#offset = 0;
    this.#curves.clear();
    this.#innerSteps = [];
  }

  #take(line: string): void {
    let event: Record<string, unknown>;
    try {
      event = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return;
    }
    if (typeof event !== 'object' || event === null) return;
    const { stage, loss, innerStep } = event;
    const step = stepOf(event, this.#config);
    if (typeof stage !== 'string' || typeof loss !== 'number' || step === null) return;
    const curve = this.#curves.get(stage) ?? { steps: [], losses: [] };
    this.#curves.set(stage, curve);
    curve.steps.push(step);
    curve.losses.push(loss);
    if (stage === 'distil' && typeof innerStep === 'number') this.#innerSteps.push(innerStep);
  }
}
