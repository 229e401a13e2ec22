/**
 * Work that outlives its device. When the device is lost – its driver was reset, the GPU was taken away – it is opened again
 * after a pause, and the work done again over the same folder: what is finished there is skipped, and a stage that keeps
 * checkpoints goes on from the last. As long as the same adapter comes back, the result has the bits of a run in one go.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceError, DeviceLostError, HypergradError, InterruptedError } from '../errors.js';
import type { AdapterDescription, Device } from '../gpu/device.js';
import type { Progress } from './progress.js';
import { CHECKPOINT_PREFIX } from './store/fileNames.js';
import { MANIFEST } from './store/manifest.js';
import type { RunFolder } from './store/runFolder.js';

/** Seconds of the pauses before each attempt; they begin anew once something was kept since the last loss. */
const PAUSES: readonly number[] = [1, 5, 30, 120];

/** How work goes on after its device was lost. */
export interface RecoveryOptions {
  /** Opens the device again, with the drivers asked anew. Throws `DeviceError` where it does not come back. */
  readonly reopen: () => Promise<Device>;
  /** Where the work keeps what it has done; null where it begins anew each time. */
  readonly folder: Pick<RunFolder, 'path'> | null;
  /** Told of every stage; the work is given one that passes all on. */
  readonly progress: Progress;
  /** Told, in a line, of each loss and of what is done about it. */
  readonly say: (line: string) => void;
  /** When it is aborted, a pause ends at once. */
  readonly signal?: AbortSignal;
  /** Seconds of the pauses; 1, 5, 30 and 120 by default. */
  readonly pauses?: readonly number[];
}

/**
 * The result of `work`, which is begun again on a reopened device when its own was lost. The devices that are opened here are
 * closed here, and so is each that was lost, the given one too.
 *
 * @throws DeviceLostError when the device was lost once more than there are pauses without anything having been kept between,
 *   or did not come back: no other adapter takes its place, since its bits would differ.
 * @throws InterruptedError when the signal is aborted during a pause.
 */
export async function outliveLosses<Result>(
  device: Device,
  options: RecoveryOptions,
  work: (device: Device, progress: Progress) => Promise<Result>,
): Promise<Result> {
  const { folder, pauses = PAUSES } = options;
  let stage: string | null = null;
  const progress: Progress = {
    ...options.progress,
    started(name, ...rest) {
      stage = name;
      options.progress.started(name, ...rest);
    },
  };
  let attempts = 0;
  let kept = await restartPoint(folder);
  let current = device;
  try {
    for (;;) {
      try {
        return await work(current, progress);
      } catch (error) {
        const loss = await lossBehind(error, current);
        if (loss === null) throw error;
        current.close();
        const now = await restartPoint(folder);
        if (now !== kept) attempts = 0;
        kept = now;
        const where = { adapter: device.adapter, stage, loss };
        [current, attempts] = await reopen(where, { ...options, pauses }, attempts);
      }
    }
  } finally {
    if (current !== device) current.close();
  }
}

/** The loss of the device that an error comes from; null where it comes from something else. */
async function lossBehind(error: unknown, device: Device): Promise<DeviceLostError | null> {
  if (error instanceof DeviceLostError) return error;
  // What a lost device makes of a command may be another error, from its driver's binding; those of ours mean what they say.
  if (error instanceof HypergradError && !(error instanceof DeviceError)) return null;
  return await device.loss();
}

/** What the next attempt goes on from, as a name that changes with it: the stages and parts entered, and the checkpoints. */
async function restartPoint(folder: RecoveryOptions['folder']): Promise<string | null> {
  if (folder === null) return null;
  const names = (await readdir(folder.path)).filter((name) => name.startsWith(CHECKPOINT_PREFIX)).sort();
  const hash = createHash('sha256').update(await readFile(join(folder.path, MANIFEST)).catch(() => ''));
  for (const name of names) {
    const facts = await stat(join(folder.path, name)).catch(() => null);
    hash.update(`${name} ${facts?.mtimeMs} ${facts?.size}`);
  }
  return hash.digest('hex');
}

interface Loss {
  readonly adapter: AdapterDescription;
  /** The stage that was under way; null before the first. */
  readonly stage: string | null;
  readonly loss: DeviceLostError;
}

const isSame = (a: AdapterDescription, b: AdapterDescription): boolean =>
  a.name === b.name && a.kind === b.kind && a.bundled === b.bundled;

/** The device that was opened again, and the attempts that this took with those before. */
async function reopen(
  { adapter, stage, loss }: Loss,
  { reopen, folder, say, signal, pauses }: RecoveryOptions & { readonly pauses: readonly number[] },
  attemptsBefore: number,
): Promise<[Device, number]> {
  const during = stage === null ? '' : ` in the stage ${stage}`;
  const going = folder === null ? 'begins anew' : 'goes on from what was kept last';
  let trouble = `The device '${adapter.name}' was lost${during}: ${loss.reason}`;
  for (let attempts = attemptsBefore; attempts < pauses.length; ) {
    const pause = pauses[attempts++]!;
    say(
      `${trouble} Opening it again in ${pause} s, attempt ${attempts} of ${pauses.length}; the work then ${going}.`,
    );
    await interruptiblePause(pause, { stage, folder, signal });
    try {
      const device = await reopen();
      if (isSame(device.adapter, adapter)) return [device, attempts];
      device.close();
      trouble = `Instead of '${adapter.name}', '${device.adapter.name}' was opened, on which the bits would differ.`;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      trouble = `The device '${adapter.name}' did not come back: ${error.message}`;
    }
  }
  throw new DeviceLostError(
    `${trouble} That was attempt ${pauses.length} of ${pauses.length} since anything was kept${during}. ` +
      (folder === null
        ? ''
        : `What was kept stays in ${folder.path}: when the device works again (see \`hypergrad doctor\`), give the same command again to go on. `) +
      "If the driver gives up on long work, lower the stage's batch; another device (--device) needs a folder of its own (--out) for its bits to be of one kind.",
    loss.reason,
    { cause: loss },
  );
}

async function interruptiblePause(
  seconds: number,
  {
    stage,
    folder,
    signal,
  }: Pick<Loss, 'stage'> & Pick<RecoveryOptions, 'folder'> & { readonly signal: AbortSignal | undefined },
): Promise<void> {
  try {
    await sleep(1000 * seconds, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    const advice =
      folder === null
        ? 'Nothing was kept: give the same command again to begin anew.'
        : 'What was kept stays: give the same command again to go on.';
    throw new InterruptedError(
      `Stopped while the device was lost${stage === null ? '' : ` in the stage ${stage}`}, as asked. ${advice}`,
      { cause },
    );
  }
}
