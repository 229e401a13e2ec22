/** What `hypergrad plan` and `hypergrad sweep` are asked for: a sweep's file, or a single configuration as a sweep of one run. */
import { basename, extname, join } from 'node:path';
import { setLayer, valueLayer } from '../../pipeline/config/layers.js';
import { readConfigFile, resolveConfig } from '../../pipeline/config/resolve.js';
import { plannedRuns, type PlannedRun, soleRun } from '../../pipeline/sweep/members.js';
import { parseSweep } from '../../pipeline/sweep/schema.js';
import { DEFAULT_PRESET, parseSeed } from '../commands/run.js';

/** What the user typed beside the file. */
export interface RunsFlags {
  readonly preset?: string;
  readonly data?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
}

/** The runs that are asked for. Throws `ConfigError` for what does not fit. */
export function readRuns(path: string | undefined, flags: RunsFlags): PlannedRun[] {
  const seed = flags.seed === undefined ? undefined : parseSeed(flags.seed);
  const sweep = path === undefined ? null : parseSweep(readConfigFile(path), path);
  if (path === undefined || sweep === null) {
    return soleRun(
      resolveConfig({
        preset: flags.preset ?? (path === undefined ? DEFAULT_PRESET : undefined),
        file: path,
        sets: flags.set ?? [],
        seed,
        dataFolder: flags.data,
      }),
    );
  }
  const layers = [
    ...(flags.data === undefined ? [] : [valueLayer(['data', 'folder'], flags.data, '--data')]),
    ...(flags.set ?? []).map(setLayer),
  ];
  const file = {
    ...sweep,
    ...(flags.preset === undefined ? {} : { preset: flags.preset }),
    ...(seed === undefined ? {} : { seeds: [seed] }),
  };
  return plannedRuns({ file, path, layers });
}

/** The folder that a sweep gets where `--out` names none. */
export function sweepFolderOf(path: string | undefined, { preset = DEFAULT_PRESET }: RunsFlags): string {
  return join('sweeps', path === undefined ? preset : basename(path, extname(path)));
}
