/** The run that may be meant by a folder that is not there. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../../suggest.js';
import { MANIFEST } from './manifest.js';
import { shown } from './shownText.js';

/** Where runs lie unless `--out` names another place. */
const RUNS = 'runs';
/** Folders that are looked at. */
const MOST = 1000;

/** The run in a folder whose name is like this one. */
function runLike(name: string, parent: string): string | undefined {
  try {
    const names = readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .slice(0, MOST)
      .map((entry) => entry.name)
      .filter((each) => existsSync(join(parent, each, MANIFEST)));
    const found = nearest(name, names);
    return found === undefined ? undefined : join(parent, found);
  } catch {
    return undefined;
  }
}

/** " Did you mean runs/a?": a run beside a folder that does not exist, or in `runs`, whose name is like it; else empty. */
export function meantRun(folder: string): string {
  if (existsSync(folder)) return '';
  const found = runLike(basename(folder), dirname(folder)) ?? runLike(basename(folder), RUNS);
  return found === undefined ? '' : ` Did you mean ${shown(found)}?`;
}
