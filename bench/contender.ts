/** What is measured: one library's way of doing a case's work. Plain values go in and out, so that sides can be compared. */
import { messageOf } from '../src/errors.js';
import type { HypergradientCase, KernelCase, StudentCase } from './cases/types.js';

/** Something that does a case's work, ready to run. */
export interface Contender {
  /** What one run from the case's own values gives, by name. */
  results(): Promise<Readonly<Record<string, Float32Array>>>;
  /** Runs so often in a row, and waits until the last is done. */
  run(repeats: number): Promise<void>;
  release(): void | Promise<void>;
}

/** Makes a contender; throws what the library throws when it cannot. */
export type Form = () => Promise<Contender>;

/** One library on one backend. Each kind of case has one form or several, the fastest first; the first right one counts. */
export interface Peer {
  /** Library and backend, such as `jax-js webgpu`. */
  readonly name: string;
  /** Version, and threads where that matters. */
  readonly version: string;
  kernel(kernelCase: KernelCase): readonly Form[];
  step(studentCase: StudentCase): readonly Form[];
  hypergradient(hypergradientCase: HypergradientCase): readonly Form[];
  close(): void;
}

/** A peer that cannot be opened here. */
export interface AbsentPeer {
  readonly name: string;
  readonly why: string;
}

/** The message of whatever was thrown, in one line and not too long for a table. */
export function reasonOf(error: unknown): string {
  const text = messageOf(error).replace(/\s+/g, ' ');
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
