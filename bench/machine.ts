/** What the figures were measured with. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { AbsentPeer, Peer } from './contender.js';

/** Device, versions and date. */
export interface Machine {
  readonly device: string;
  readonly processor: string;
  readonly versions: readonly string[];
  /** Peers that were not opened, with the reason. */
  readonly absent: readonly AbsentPeer[];
  /** Year, month, day. */
  readonly date: string;
}

const versionOf = (name: string): string => {
  const { version } = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  ) as { version: string };
  return `${name} ${version}`;
};

export function describeMachine(device: string, peers: readonly (Peer | AbsentPeer)[]): Machine {
  const cores = availableParallelism();
  return {
    device,
    processor: `${cpus()[0]?.model ?? 'unknown processor'}, ${cores} ${cores === 1 ? 'core' : 'cores'}`,
    versions: [
      `Node ${process.versions.node}`,
      versionOf('webgpu'),
      ...peers.flatMap((peer) => ('why' in peer ? [] : [`${peer.name} ${peer.version}`])),
    ],
    absent: peers.filter((peer) => 'why' in peer),
    date: new Date().toISOString().slice(0, 10),
  };
}
