/** A cluster on which nothing lasts: tasks are killed and nodes go down at random moments, until the sweep is whole all the same. */
import { setTimeout as wait } from 'node:timers/promises';
import { uniform } from '../../src/kernels/philox.js';
import { addCounts, type FaultCounts, totalOf } from '../support/faults/counts.js';
import type { Cluster } from './cluster.js';
import { killProcess } from './processes.js';
import { isIdle, isWhole } from './sweeps.js';

export interface ChaosOptions {
  readonly cluster: Cluster;
  /** The sweep's folder. */
  readonly sweep: string;
  /** Submits what is missing. */
  readonly submit: () => Promise<number>;
  readonly seed: number;
  /** Names the random numbers. */
  readonly round: number;
  /** Kills after which the sweep is left alone. */
  readonly kills: number;
}

/** What a sweep has survived. */
export interface SweepSurvived {
  readonly kills: FaultCounts;
  /** How often what was missing was submitted, the first time included. */
  readonly submissions: number;
  /** In words, in order. */
  readonly history: readonly string[];
}

/** Seconds between two kills, and for which a node stays down; at most. */
const BETWEEN_KILLS = 4;
const DOWN = 9;
/** Nodes that are down at a time. */
const MOST_DOWN = 2;
/** Looks at the sweep after which it cannot be said to end. */
const MOST_TURNS = 2000;

/** Submits a sweep and kills what runs it until it is whole. */
export async function survive(options: ChaosOptions): Promise<SweepSurvived> {
  const { cluster, sweep, submit, seed, round, kills: most } = options;
  let drawn = 0;
  const draw = (): number => uniform({ seed, purpose: `cluster.${round}`, index: drawn++ }, 1)[0]!;
  const oneOf = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(draw() * items.length)];
  const history: string[] = [];
  const down = new Map<string, number>();
  let kills: FaultCounts = {};
  let submissions = 1;
  const count = (what: string, where: string): void => {
    kills = addCounts(kills, { [what]: 1 });
    history.push(`${what} ${where}`);
  };

  await submit();
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    if (isWhole(sweep) && down.size === 0) return { kills, submissions, history };
    await wait(1000 * BETWEEN_KILLS * draw());
    for (const [node, end] of down) {
      if (performance.now() < end) continue;
      await cluster.bringBack(node);
      down.delete(node);
    }
    if (totalOf(kills) < most && !isWhole(sweep)) {
      const way = draw();
      const task = oneOf(cluster.tasks());
      const node = oneOf(cluster.nodes.filter((each) => !down.has(each)));
      if (way < 0.6) {
        if (task !== undefined && killProcess(task.process)) count('task', `on ${task.node}`);
      } else if (node !== undefined && down.size < MOST_DOWN && task !== undefined) {
        const loss = way < 0.8 ? 'daemon' : 'everything';
        await cluster.loseNode(node, loss);
        down.set(node, performance.now() + 1000 * DOWN * draw());
        count(loss === 'daemon' ? "node's daemon" : 'whole node', node);
      }
    }
    await cluster.hasten();
    if (await isIdle(cluster)) {
      if (isWhole(sweep)) continue;
      const tasks = await submit();
      submissions += 1;
      history.push(`submitted ${tasks}`);
    }
  }
  throw new Error(`The sweep is not whole after ${MOST_TURNS} looks: ${history.join('; ')}`);
}
