/** What `hypergrad plan` and `hypergrad sweep` are asked for: a sweep's file, or a single configuration as a sweep of one run. */
import { join } from 'node:path';
import { setLayer, valueLayer } from '../../pipeline/config/layers.js';
import { readConfigFile } from '../../pipeline/config/resolve.js';
import { type PlannedRun, plannedRuns, soleRun } from '../../pipeline/sweep/members.js';
import { parseSweep } from '../../pipeline/sweep/schema.js';
import { askedConfig, askedName, type ConfigFlags, parseSeed } from '../asked.js';

/** The runs that are asked for. Throws `ConfigError` for what does not fit. */
export function readRuns(path: string | undefined, flags: ConfigFlags): PlannedRun[] {
  const sweep = path === undefined ? null : parseSweep(readConfigFile(path), path);
  if (path === undefined || sweep === null) return soleRun(askedConfig(path, flags));
  const layers = [
    ...(flags.data === undefined ? [] : [valueLayer(['data', 'folder'], flags.data, '--data')]),
    ...(flags.set ?? []).map(setLayer),
  ];
  const file = {
    ...sweep,
    ...(flags.preset === undefined ? {} : { preset: flags.preset }),
    ...(flags.seed === undefined ? {} : { seeds: [parseSeed(flags.seed)] }),
  };
  return plannedRuns({ file, path, layers });
}

/** The folder that a sweep gets where `--out` names none. */
export const sweepFolderOf = (path: string | undefined, flags: ConfigFlags): string =>
  join('sweeps', askedName(path, flags));
