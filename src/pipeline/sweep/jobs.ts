/** The jobs of a sweep's runs: each stage, expert and share of an evaluation by the hash of what it reads. Pure. */
import type { Config } from '../config/schema.js';
import { shareReads, sharesOf } from '../evaluate/shares.js';
import { FORMAT_VERSION } from '../stageInputs.js';
import { type Stage, stages, stagesOf } from '../stageList.js';
import { hashInputs } from '../store/manifest.js';
import { GRAPH_VERSION, type Job, type JobGraph, type JobKind, NAME_DIGITS, stageOfKind } from './graph.js';
import type { PlannedRun } from './members.js';

/** What stands for the data of a run. */
export interface DataIdentity {
  /** SHA-256 of its images and labels; null where they are not there. */
  readonly data: string | null;
  /** SHA-256 of given representations; null where a teacher is trained. */
  readonly given: string | null;
}

/** The kind of the jobs that make a stage. */
const kindOf = new Map(Object.entries(stageOfKind).map(([kind, stage]) => [stage, kind as JobKind]));

/** The stage that jobs of a kind make, or make parts of. */
export const stageOfJob = (kind: Exclude<JobKind, 'report'>): Stage =>
  stages.find(({ name }) => name === stageOfKind[kind])!;

/** One job of a member before it has a name. */
interface Piece {
  readonly part?: string;
  /** What of the configuration it reads. */
  readonly reads: unknown;
}

/** The jobs that make a stage. */
function piecesOf(stage: Stage, config: Config): Piece[] {
  if (stage.name === 'experts') {
    const reads = stage.partReads!(config);
    return stage.parts!(config).map((part) => ({ part, reads }));
  }
  if (stage.name === 'evaluate') {
    const reads = stage.reads(config) as Record<string, unknown>;
    return sharesOf(config).map((part) => ({
      part,
      reads: { ...reads, evaluate: shareReads(config, part) },
    }));
  }
  return [{ reads: stage.reads(config) }];
}

/**
 * The graph of a sweep. Jobs that read the same are one job, whichever members ask for it. The block sizes of the device are no
 * part of a name: on which device a job was made stands in its record.
 *
 * @param identify what stands for the data of a run
 */
export function graphOf(runs: readonly PlannedRun[], identify: (run: PlannedRun) => DataIdentity): JobGraph {
  const jobs = new Map<string, Job>();
  const members = runs.map((run) => {
    const { name: member, values, seed, config } = run;
    const { data, given } = identify(run);
    // Of images that are not here it is known at least which are meant.
    const images = data ?? config.data;
    const own: string[] = [];
    const made = new Map<string, string[]>();
    const add = (kind: JobKind, after: readonly string[], read: string, part?: string): void => {
      const reads = {
        version: GRAPH_VERSION,
        format: FORMAT_VERSION,
        kind,
        seed,
        images,
        given,
        read,
        after,
      };
      const hash = hashInputs({ ...reads, part }).slice(0, NAME_DIGITS);
      if (!jobs.has(hash)) {
        jobs.set(hash, { hash, kind, ...(part === undefined ? {} : { part }), after, member });
      }
      own.push(hash);
      const stage = stageOfKind[kind];
      made.set(stage, [...(made.get(stage) ?? []), hash]);
    };
    for (const stage of stagesOf(config)) {
      const after = stage.after.flatMap((before) => made.get(before) ?? []);
      // The experts of a run read the same: it is hashed once.
      const hashes = new Map<unknown, string>();
      for (const { part, reads } of piecesOf(stage, config)) {
        const read = hashes.get(reads) ?? hashInputs(reads);
        hashes.set(reads, read);
        add(kindOf.get(stage.name)!, after, read, part);
      }
    }
    add('report', [...own], hashInputs(config));
    return { name: member, values, seed, data, given, jobs: own };
  });
  return { version: GRAPH_VERSION, jobs: [...jobs.values()], members };
}
