/** Replays reference cases on a device and says how far each is from what it should be. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, messageOf } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { fileLimits, readBounded, readingFault } from '../store/boundedFile.js';
import { shown } from '../store/shownText.js';
import { type Measured, measure, type Outputs, parseCase, type ReferenceCase } from './case.js';
import { replayOperation } from './operations.js';
import { replayResNet18 } from './resNet18.js';
import { replayExpert, replayProbe, replayStudentStep, replayUnroll } from './training.js';

type Replay = (reference: ReferenceCase, device: Device) => Promise<Outputs> | Outputs;

const replays: Readonly<Record<string, Replay>> = {
  op: replayOperation,
  studentStep: replayStudentStep,
  expert: replayExpert,
  unroll: replayUnroll,
  probe: replayProbe,
  resnet18: replayResNet18,
};

/** How one reference case came out. */
export interface CaseResult {
  /** The case's name, or the file's path where it could not be read. */
  readonly name: string;
  /** Whether every output is within its tolerance. */
  readonly passed: boolean;
  /** False where the file could not be read as a case at all. */
  readonly readable: boolean;
  /** How far each output is from what it should be. */
  readonly measured: readonly Measured[];
  /** Why it failed, where that is not a number. */
  readonly reason?: string;
}

/** The worst output of a case: the one whose error is the greatest part of what is allowed. */
export function worstOf(measured: readonly Measured[]): Measured | undefined {
  const share = ({ error, allowed }: Measured): number => {
    const part = error === 0 ? 0 : error / allowed;
    // Where the case itself wants NaN.
    return Number.isNaN(part) ? Number.POSITIVE_INFINITY : part;
  };
  return measured.reduce<Measured | undefined>(
    (worst, each) => (worst === undefined || share(each) > share(worst) ? each : worst),
    undefined,
  );
}

/**
 * The reference cases among files and folders; a folder stands for the .safetensors files in it.
 *
 * @throws DataError when a path does not exist or a folder holds none.
 */
export async function findCases(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const information = await stat(path).catch(() => null);
    if (information === null) {
      throw new DataError(`${path} does not exist; give files or folders of reference cases (.safetensors).`);
    }
    if (!information.isDirectory()) {
      found.push(path);
      continue;
    }
    const files = (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort();
    if (files.length === 0)
      throw new DataError(`${path} holds no .safetensors file; give a folder of reference cases.`);
    found.push(...files.map((name) => join(path, name)));
  }
  return found;
}

/** Replays one file. Never throws for what is wrong with the file: that is its result. */
export async function verifyCase(path: string, device: Device): Promise<CaseResult> {
  const unreadable = (reason: unknown, name: string, readable: boolean): CaseResult => ({
    name,
    passed: false,
    readable,
    measured: [],
    reason: messageOf(reason),
  });
  let reference: ReferenceCase;
  try {
    reference = parseCase(await readBounded(path, fileLimits.data), path);
  } catch (error) {
    return unreadable(error instanceof DataError ? error : `${path} ${readingFault(error)}.`, path, false);
  }
  const replay = Object.hasOwn(replays, reference.kind) ? replays[reference.kind] : undefined;
  if (replay === undefined) {
    const known = Object.keys(replays).join(', ');
    return unreadable(
      `cases of kind '${shown(reference.kind)}' are not known yet; known are ${known}.`,
      reference.name,
      true,
    );
  }
  try {
    const measured = measure(reference, await replay(reference, device));
    const passed =
      measured.length > 0 &&
      measured.every(({ error, allowed }) => Number.isFinite(allowed) && error <= allowed);
    return { name: reference.name, passed, readable: true, measured };
  } catch (error) {
    return unreadable(error, reference.name, true);
  }
}
