/** Finds the peers' packages, which have an installation of their own in bench/peers. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The bundle lies in bench/dist. */
const folder = new URL('../peers/', import.meta.url);
const requirePeer = createRequire(new URL('package.json', folder));

/** A file of bench/peers. */
export const peerFile = (name: string): string => fileURLToPath(new URL(name, folder));

/** What a row says of a library that is not installed. */
export const NOT_INSTALLED = 'not installed: npm ci --prefix bench/peers';

/** Whether `npm ci --prefix bench/peers` was run. */
export const arePeersInstalled = (): boolean => existsSync(new URL('node_modules/', folder));

/** Loads a package of bench/peers. The caller states what of it is used. */
export async function loadPeer<Api>(name: string): Promise<Api> {
  return (await import(/* @vite-ignore */ pathToFileURL(requirePeer.resolve(name)).href)) as Api;
}

/** The version that is installed. */
export function peerVersion(name: string): string {
  const { version } = JSON.parse(
    readFileSync(new URL(`node_modules/${name}/package.json`, folder), 'utf8'),
  ) as { version: string };
  return version;
}
