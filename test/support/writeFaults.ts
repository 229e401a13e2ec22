/** Tiny runs of which one write fails: what stops them, and what the same command leaves afterwards. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../src/pipeline/progress.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { nodeFileSystem } from '../../src/pipeline/store/fileSystem.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { type Call, type Fault, type FaultySystem, faultySystem, sameCall } from './faultySystem.js';
import { folderContents, TIMED_FILES } from './folderContents.js';

export interface TinyRun {
  readonly device: Device;
  readonly folder: string;
  readonly sets: readonly string[];
}

/** The preset tiny-test with a checkpoint after every step that offers one. */
async function run({ device, folder: path, sets }: TinyRun, system: FaultySystem): Promise<void> {
  const config = resolveConfig({ preset: 'tiny-test', sets: [...sets], seed: 1 });
  const dataset = await loadDataset(config.data, config.seed);
  try {
    const folder = await RunFolder.open(path, system);
    try {
      await runPipeline({
        ...{ config, dataset, folder, device, checkpointSeconds: 0 },
        command: 'test',
        progress: silentProgress,
      });
    } finally {
      await folder.close();
    }
  } finally {
    dataset.close();
  }
}

/** What a file that holds measured seconds says beside them. */
const untimed: Readonly<Record<(typeof TIMED_FILES)[number], (text: string) => string>> = {
  'timings.json': (text) =>
    Object.keys(JSON.parse(text) as object)
      .sort()
      .join(),
  'result.json': (text) => JSON.stringify({ ...(JSON.parse(text) as object), seconds: null }),
  'report.html': () => '',
};

/** Every file's hash; of those that hold measured seconds, what they hold beside them. */
async function contents(path: string): Promise<Record<string, string>> {
  const timed = TIMED_FILES.map(
    async (name) => [name, untimed[name](await readFile(join(path, name), 'utf8'))] as const,
  );
  return { ...folderContents(path), ...Object.fromEntries(await Promise.all(timed)) };
}

/** A run that nothing disturbs: its calls, and what it leaves. */
export interface FaultFreeRun {
  readonly calls: readonly Call[];
  readonly contents: Readonly<Record<string, string>>;
}

export async function runWithoutFault(tiny: TinyRun): Promise<FaultFreeRun> {
  const system = faultySystem(nodeFileSystem);
  await run(tiny, system);
  return { calls: system.calls, contents: await contents(tiny.folder) };
}

/** How a call can fail: half of its bytes can be taken only where it has some. */
export const faultsOf = ({ name }: Call): readonly Fault[] =>
  name === 'write' ? ['ENOSPC', 'EIO', 'short'] : ['ENOSPC', 'EIO'];

/** What became of a run one of whose calls failed. */
export interface Disturbed {
  /** What stopped it; undefined where it ended as if nothing had been. */
  readonly error: unknown;
  /** Whether the call was made at all: how many checkpoints and flushes there are depends on time. */
  readonly isReached: boolean;
  /** What the folder holds after the same command again, without a fault. */
  readonly contents: Readonly<Record<string, string>>;
}

export async function runDisturbed(tiny: TinyRun, at: Call, fault: Fault): Promise<Disturbed> {
  await rm(tiny.folder, { recursive: true, force: true });
  const faulty = faultySystem(nodeFileSystem, { at, fault });
  const error = await run(tiny, faulty).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await run(tiny, faultySystem(nodeFileSystem));
  const isReached = faulty.calls.some((call) => sameCall(call, at));
  return { error, isReached, contents: await contents(tiny.folder) };
}

/** What is wrong with the sentence that stopped a run; null where it is as it should be. */
function sentenceFault(error: unknown, call: Call, fault: Fault): string | null {
  if (!(error instanceof StoreError)) return `not a StoreError but ${String(error)}`;
  const { message } = error;
  // A file that is renamed, and a folder that is flushed, are told by the file that they are for.
  const isNamed = message.includes(call.path) || /syncFolder|makeFolders/.test(call.name);
  if (!isNamed) return `does not name ${call.path}: ${message}`;
  if (!message.includes('run the same command again')) return `does not say what to do: ${message}`;
  if (fault !== 'EIO' && !message.includes('Free some space')) return `does not say to make room: ${message}`;
  return null;
}

/** Calls that may fail and be made up for: events are written while a stage runs, and again at its end. */
const isMadeUpFor = ({ path }: Call): boolean => path.endsWith('events.jsonl');

/** What is wrong with how a run ended of which `call` failed; null where it is as it should be. */
export function faultOf({ error, isReached }: Disturbed, call: Call, fault: Fault): string | null {
  if (error === undefined && (isMadeUpFor(call) || !isReached)) return null;
  return sentenceFault(error, call, fault);
}
