/** A disk that writes into one folder only, wherever the links in it lead. */
import { realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { StoreError } from '../../errors.js';
import type { Disk } from './disk.js';

/** Whether a place is a folder or in it, both as `realpath` gives them. */
export const isWithin = (place: string, root: string): boolean =>
  place === root || place.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);

/** Where a path leads: of what is not there yet, where the folder above it does. */
async function placeOf(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const place = await realpath(at).catch(() => null);
    if (place !== null) return place;
    if (at === dirname(at)) return at;
  }
}

/**
 * The same disk for one folder: a folder that somebody else made may hold links, and a report must not take the place of what
 * they lead to. What is removed is the link itself, so only the folders above it count there.
 *
 * @throws StoreError from every operation whose path leads out of the folder.
 */
export function withinFolder(folder: string, disk: Disk): Disk {
  const requireInside = async (path: string, reached: string): Promise<void> => {
    const [root, place] = [await placeOf(resolve(folder)), await placeOf(resolve(reached))];
    if (isWithin(place, root)) return;
    throw new StoreError(
      `${path} leads out of the run folder ${folder}, to ${place}, and is not touched. Remove the link, or choose another folder with --out DIR.`,
    );
  };
  return {
    async makeFolder(path) {
      await requireInside(path, path);
      await disk.makeFolder(path);
    },
    async writeWhole(path, content, options) {
      await requireInside(path, path);
      await disk.writeWhole(path, content, options);
    },
    async extend(path, position, content) {
      await requireInside(path, path);
      await disk.extend(path, position, content);
    },
    async remove(path) {
      await requireInside(path, dirname(path));
      await disk.remove(path);
    },
  };
}
