/** What every suite is given. */
import type { Device } from '../../src/gpu/device.js';
import type { Settings } from '../compare.js';
import type { AbsentPeer, Peer } from '../contender.js';
import type { Row, Subject } from '../rows.js';

/** Where and how a suite measures. */
export interface SuiteContext extends Settings {
  readonly device: Device;
  readonly peers: readonly (Peer | AbsentPeer)[];
  /** The preset that the pipeline runs. */
  readonly preset: string;
  /** Told of every row as soon as there is one. */
  report(rows: readonly Row[]): void;
}

export type Suite = (context: SuiteContext) => Promise<void>;

/** What a case's rows are about. */
export const subjectOf = (suite: string, name: string, { device }: SuiteContext): Subject => ({
  suite,
  case: name,
  adapter: device.adapter.name,
});
