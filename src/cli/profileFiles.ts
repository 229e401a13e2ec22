/** Where `hypergrad run --profile` puts what it measured. */
import { open } from 'node:fs/promises';
import { print } from '../autograd/print.js';
import { toTrace } from '../autograd/profile/chromeTrace.js';
import type { Profile } from '../autograd/profile/profile.js';
import { ConfigError } from '../errors.js';
import type { RunFolder } from '../pipeline/store/runFolder.js';
import { writeOutput } from './outputFile.js';

/** Names in the run's folder. Like `timings.json` they hold measured times, and no stage vouches for them. */
const PROFILE = 'profile.json';
const TRACE = 'trace.json';

/** How every trace of ours begins. */
const TRACE_START = '{"displayTimeUnit"';

/** Most rows of a stage's table on the terminal. */
const ROWS = 12;

function refuse(file: string, reason: string): never {
  throw new ConfigError(
    `--profile ${file}: ${reason} Name the file of the trace, such as --profile trace.json, or give --profile alone; ` +
      'a configuration file goes before it.',
  );
}

/**
 * Checks where a trace is to go, before the run. An argument that follows `--profile` is taken for the trace's file, so a
 * configuration that was meant must not be overwritten.
 *
 * @throws ConfigError when it is no .json file, or one that holds something other than a trace.
 */
export async function requireTraceFile(file: string): Promise<void> {
  if (!file.endsWith('.json')) refuse(file, 'a trace is a .json file.');
  const found = await open(file).catch(() => undefined);
  if (found === undefined) return;
  try {
    const { buffer, bytesRead } = await found.read(Buffer.alloc(TRACE_START.length));
    if (bytesRead > 0 && !buffer.toString().startsWith(TRACE_START)) {
      refuse(file, 'it exists and holds no trace.');
    }
  } finally {
    await found.close();
  }
}

/** A profile without every single dispatch, which the trace holds. */
function withoutSpans({
  deviceSpans,
  hostSpans,
  ...rest
}: Profile): Omit<Profile, 'deviceSpans' | 'hostSpans'> {
  return rest;
}

/**
 * Writes profile.json and the trace, and describes the profiles in plain text.
 *
 * @param traceFile where the trace goes instead of the run's folder
 * @throws StoreError when a file cannot be written, ConfigError when none of the trace's name can be.
 */
export async function writeProfiles(
  folder: RunFolder,
  profiles: Readonly<Record<string, Profile>>,
  traceFile?: string,
): Promise<string> {
  const stages = Object.entries(profiles);
  if (stages.length === 0)
    return 'Nothing was profiled: every stage was done before. Give another folder with --out, or have a stage run anew with --force.';
  const summary = Object.fromEntries(stages.map(([stage, profile]) => [stage, withoutSpans(profile)]));
  await folder.writeText(PROFILE, `${JSON.stringify(summary, null, 2)}\n`);
  const trace = `${JSON.stringify(toTrace(profiles))}\n`;
  if (traceFile === undefined) await folder.writeText(TRACE, trace);
  else await writeOutput('--profile', traceFile, trace);
  return [
    ...stages.map(([stage, profile]) => `Stage ${stage}: ${print(profile, { rows: ROWS })}`),
    `Profile: ${folder.pathOf(PROFILE)}`,
    `Trace: ${traceFile ?? folder.pathOf(TRACE)} (for chrome://tracing or https://ui.perfetto.dev)`,
  ].join('\n');
}
