/** What the finished runs of a sweep have measured: every run's rows with its device, and settings over their seeds. */
import { mean, standardDeviation } from 'simple-statistics';
import { readRun } from '../compare/readRun.js';
import { csvField } from '../compare/tables.js';
import type { EvaluationTable } from '../evaluate/record.js';
import { deviceName } from '../report/wording.js';
import { describeStudent } from '../stages/students.js';
import type { Plain } from '../store/manifest.js';
import { type JobGraph, jobsByName, type Member } from './graph.js';
import { type JobRecord, readRecord } from './jobFolder.js';
import { finishedJobs, pathsOf } from './sweepFolder.js';

/** Version of results.json. */
const VERSION = 1;

/** One measured number of one run, over its evaluation seeds. */
export interface SweepRow {
  /** The run's folder below `runs/`. */
  readonly run: string;
  /** What the sweep set, by path. */
  readonly values: Readonly<Record<string, Plain>>;
  readonly seed: number;
  /** `accuracy`: of a linear probe, 0 to 1. `error`: equation (3). */
  readonly measure: 'accuracy' | 'error';
  /** The architecture; empty for the student that the set was distilled for. */
  readonly student: string;
  /** The encoder, such as `MKDT`. */
  readonly row: string;
  /** Share of the labels; null for an error. */
  readonly labels: number | null;
  readonly mean: number;
  /** Population standard deviation over the evaluation seeds. */
  readonly deviation: number;
  /** Evaluation seeds. */
  readonly n: number;
  /** The devices that the run's jobs were made on. */
  readonly devices: readonly string[];
  /** Whether its jobs were made on several kinds of devices, or on another than most rows': it is not to be compared with them by bits. */
  readonly isMarked: boolean;
}

/** A setting's number over the seeds of the whole pipeline. */
export interface SweepGroup extends Pick<SweepRow, 'values' | 'measure' | 'student' | 'row' | 'labels'> {
  readonly seeds: readonly number[];
  /** Mean of the runs' means. */
  readonly mean: number;
  /** Population standard deviation of the runs' means; 0 for one run. */
  readonly deviation: number;
  /** Mean of the runs' deviations over their evaluation seeds. */
  readonly within: number;
  readonly devices: readonly string[];
  /** Whether one of its rows is marked, or they are of different devices. */
  readonly isMarked: boolean;
}

/** The results of a sweep. */
export interface SweepResults {
  readonly version: typeof VERSION;
  /** Paths that the sweep sets, in its order. */
  readonly paths: readonly string[];
  /** Names of the datasets of the finished runs. */
  readonly datasets: readonly string[];
  /** Runs of the sweep, finished or not. */
  readonly runs: number;
  readonly rows: readonly SweepRow[];
  readonly groups: readonly SweepGroup[];
}

/** A device by what decides bits: its name, driver and tuning. */
const deviceText = ({ device: { tuning, ...bare } }: JobRecord): string =>
  `${deviceName(bare)}${tuning === undefined ? '' : `, tuning ${tuning}`}`;

function rowsOf(
  { name: run, values, seed }: Member,
  tables: readonly (EvaluationTable & { readonly student: string })[],
  devices: readonly string[],
): SweepRow[] {
  const common = { run, values, seed, devices, isMarked: devices.length > 1 };
  const figures = (numbers: readonly number[]) => ({
    mean: mean([...numbers]),
    deviation: standardDeviation([...numbers]),
    n: numbers.length,
  });
  return tables.flatMap(({ student, rows, heldOut }) => [
    ...rows.map(({ name, labels, accuracies }) => ({
      ...{ ...common, measure: 'accuracy' as const, student, row: name, labels, ...figures(accuracies) },
    })),
    ...heldOut.map(({ name, errors }) => ({
      ...{ ...common, measure: 'error' as const, student, row: name, labels: null, ...figures(errors) },
    })),
  ]);
}

/** Settings over their seeds, in the order of the rows. */
function groupRows(rows: readonly SweepRow[]): SweepGroup[] {
  const groups = new Map<string, SweepRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.values, row.measure, row.student, row.row, row.labels]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((own) => {
    const [{ values, measure, student, row, labels }] = own as [SweepRow, ...SweepRow[]];
    const means = own.map((each) => each.mean);
    const devices = [...new Set(own.flatMap((each) => each.devices))];
    return {
      ...{ values, measure, student, row, labels },
      seeds: own.map(({ seed }) => seed),
      mean: mean(means),
      deviation: standardDeviation(means),
      within: mean(own.map(({ deviation }) => deviation)),
      ...{ devices, isMarked: devices.length > 1 || own.some(({ isMarked }) => isMarked) },
    };
  });
}

/** The text that occurs most often; the first of several. */
function mostCommon(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** What one finished run has measured. */
interface CollectedRun {
  readonly rows: readonly SweepRow[];
  readonly dataset: string;
}

/** Reads what finished runs of a sweep have measured, each once: a run that is finished does not change. */
export interface RunCollector {
  /** Throws `StoreError` where it cannot be read. */
  collect(member: Member): Promise<CollectedRun>;
}

/** Has read nothing yet. */
export function openCollector(sweep: string, graph: Pick<JobGraph, 'jobs'>): RunCollector {
  const jobs = jobsByName(graph);
  const devices = new Map<string, Promise<string>>();
  const deviceOf = (hash: string): Promise<string> => {
    const known = devices.get(hash) ?? readRecord(sweep, hash).then(deviceText);
    devices.set(hash, known);
    return known;
  };
  const read = async (member: Member): Promise<CollectedRun> => {
    // A report is made of what others have computed.
    const computed = member.jobs.filter((hash) => jobs.get(hash)!.kind !== 'report');
    const own = await Promise.all(computed.map(deviceOf));
    const { evaluation, config } = await readRun(pathsOf(sweep).job(member.jobs.at(-1)!));
    const tables = [
      { ...evaluation, student: '' },
      ...evaluation.transfer.map(({ student, ...table }) => ({
        ...table,
        student: describeStudent(student),
      })),
    ];
    return { rows: rowsOf(member, tables, [...new Set(own)]), dataset: config.data.source };
  };
  const runs = new Map<string, Promise<CollectedRun>>();
  return {
    collect(member) {
      const known = runs.get(member.name) ?? read(member);
      runs.set(member.name, known);
      return known;
    },
  };
}

/**
 * The results of the runs that are finished. Throws `StoreError` where one cannot be read.
 *
 * @param collector has read some of them already
 */
export async function collectResults(
  sweep: string,
  graph: JobGraph,
  collector: RunCollector = openCollector(sweep, graph),
): Promise<SweepResults> {
  const finished = await finishedJobs(sweep, graph);
  const rows: SweepRow[] = [];
  const datasets = new Set<string>();
  for (const member of graph.members) {
    if (!finished.has(member.jobs.at(-1)!)) continue;
    const run = await collector.collect(member);
    datasets.add(run.dataset);
    rows.push(...run.rows);
  }
  const usual = mostCommon(rows.map(({ devices }) => devices.join(' + ')));
  const marked = rows.map((row) => ({
    ...row,
    isMarked: row.isMarked || row.devices.join(' + ') !== usual,
  }));
  const paths = [...new Set(graph.members.flatMap(({ values }) => Object.keys(values)))];
  return {
    ...{ version: VERSION, paths, datasets: [...datasets], runs: graph.members.length },
    ...{ rows: marked, groups: groupRows(marked) },
  };
}

const cell = (value: Plain | undefined): string | number =>
  value === undefined
    ? ''
    : typeof value === 'string' || typeof value === 'number'
      ? value
      : JSON.stringify(value);

/** One measured number of one run a line, by RFC 4180. */
export function resultsCsv({ paths, rows }: SweepResults): string {
  const head = ['run', ...paths, 'seed', 'measure', 'student', 'row', 'labels', 'mean', 'deviation', 'n'];
  const lines: (string | number)[][] = [
    [...head, 'device', 'other device'],
    ...rows.map((row) => [
      ...[row.run, ...paths.map((path) => cell(row.values[path])), row.seed, row.measure, row.student],
      ...[row.row, row.labels ?? '', row.mean, row.deviation, row.n],
      ...[row.devices.join(' + '), row.isMarked ? 'yes' : 'no'],
    ]),
  ];
  return `${lines.map((line) => line.map(csvField).join(',')).join('\r\n')}\r\n`;
}
