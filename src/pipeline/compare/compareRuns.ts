/** Runs side by side, and over the seeds of runs that differ in nothing else. Pure: what it is given is read by `readRun.ts`. */
import { mean, standardDeviation } from 'simple-statistics';
import { ConfigError } from '../../errors.js';
import { fieldPaths, show } from '../config/layers.js';
import { valueAt } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { distinct, labelShares } from '../distinct.js';
import { type Difference, meanDifference, pairwise } from '../evaluate/differences.js';
import type { Evaluation, EvaluationTable } from '../evaluate/record.js';
import { MKDT_ROW, rowFacts } from '../evaluate/rowNames.js';
import { describeStudent } from '../stages/students.js';

/** What a comparison reads of a run. */
export interface ComparedRun {
  /** What tables call it, such as its folder. */
  readonly name: string;
  readonly config: Config;
  /** The device that it was made on. */
  readonly device: string;
  readonly evaluation: Evaluation;
}

/** A mean with its spread. */
export interface Figure {
  readonly mean: number;
  /** Population standard deviation. */
  readonly deviation: number;
  /** How many numbers it is over: evaluation seeds for a run, runs for a group. */
  readonly n: number;
}

/** One quantity: a value for each run, and one for each group of two runs or more; null where it was not measured. */
export interface Compared<Value> {
  readonly runs: readonly (Value | null)[];
  /** For each group the mean of its runs' means, and its spread over the runs. */
  readonly groups: readonly (Value | null)[];
}

/** What was measured with one architecture. */
export interface ComparedTable {
  /** The architecture; empty for the student that the sets were distilled for. */
  readonly student: string;
  /** Accuracies, 0 to 1, by row and share of labels. */
  readonly rows: readonly (Compared<Figure> & { readonly name: string; readonly labels: number })[];
  /** Equation (3) by row. */
  readonly heldOut: readonly (Compared<Figure> & { readonly name: string })[];
  /** Differences of accuracies, paired by seed. */
  readonly differences: readonly (Compared<Difference> & {
    readonly of: string;
    readonly against: string;
    readonly labels: number;
  })[];
}

/** Runs whose configurations differ in the seed alone. */
export interface RunGroup {
  /** The settings in which it differs from other groups, by path. */
  readonly settings: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
}

/** Runs side by side, with what they measured. */
export interface Comparison {
  readonly dataset: string;
  readonly groups: readonly RunGroup[];
  /** The runs, those of a group together; `group` is its place in `groups`. */
  readonly runs: readonly { readonly name: string; readonly seed: number; readonly group: number }[];
  readonly tables: readonly ComparedTable[];
}

/** The subsets of real images that the distilled set is held against, seed by seed. */
const SUBSETS = [rowFacts.randomSubset.name, rowFacts.highLossSubset.name];

/** Sources whose files are the same wherever they lie. */
const OFFICIAL: ReadonlySet<string> = new Set(['mnist', 'cifar10', 'cifar100', 'tiny-imagenet']);

/** What changes no number: what is measured beside it, and where images are kept while they are used. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'evaluate.rows',
  'evaluate.labels',
  'evaluate.transfer',
  'distil.snapshots',
  'data.memory',
]);

function figure(values: readonly number[]): Figure {
  return { mean: mean([...values]), deviation: standardDeviation([...values]), n: values.length };
}

/** What decides a run's result, as text by path; the seed and the device aside. */
function settingsOf({ config }: ComparedRun): Map<string, string> {
  const isOfficial = OFFICIAL.has(config.data.source);
  const counted = fieldPaths.filter(
    (path) => path !== 'seed' && !WITHOUT_EFFECT.has(path) && !(isOfficial && path === 'data.folder'),
  );
  return new Map(counted.map((path) => [path, JSON.stringify(valueAt(config, path.split('.')))]));
}

/** @throws ConfigError when a run was made from other data than the first. */
function requireSameData(runs: readonly ComparedRun[]): void {
  const [first, ...others] = runs as [ComparedRun, ...ComparedRun[]];
  const own = settingsOf(first);
  for (const other of others) {
    for (const [path, value] of settingsOf(other)) {
      if (!path.startsWith('data.') || own.get(path) === value) continue;
      throw new ConfigError(
        `${first.name} and ${other.name} cannot be compared, because they have different data: ${path} is ${own.get(path)} in the one and ${value} in the other.`,
      );
    }
  }
}

interface Grouped {
  readonly settings: Map<string, string>;
  readonly runs: ComparedRun[];
}

/** Runs of the same configuration and device together, in the order in which they are named; a seed may occur once in each. */
function groupRuns(runs: readonly ComparedRun[]): Grouped[] {
  const groups = new Map<string, Grouped>();
  for (const run of runs) {
    const settings = settingsOf(run).set('device', run.device);
    const key = JSON.stringify([...settings]);
    const group = groups.get(key) ?? { settings, runs: [] };
    const twin = group.runs.find(({ config }) => config.seed === run.config.seed);
    if (twin !== undefined) {
      throw new ConfigError(
        `${twin.name} and ${run.name} are the same run: the same configuration, seed ${run.config.seed} and device. Name one of them.`,
      );
    }
    group.runs.push(run);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The settings of each group that are not the same in all of them. */
function differingSettings(groups: readonly Grouped[]): Record<string, string>[] {
  const paths = [...groups[0]!.settings.keys()].filter(
    (path) => new Set(groups.map(({ settings }) => settings.get(path))).size > 1,
  );
  return groups.map(({ settings }) =>
    Object.fromEntries(
      paths.map((path) => {
        const value: unknown = path === 'device' ? settings.get(path) : JSON.parse(settings.get(path)!);
        return [path, typeof value === 'string' ? value : show(value)];
      }),
    ),
  );
}

/** Each run's numbers of one quantity, summarised by run and by group. */
function compared<Value extends { readonly mean: number }>(
  groups: readonly Grouped[],
  summarise: (values: readonly number[]) => Value,
  numbersOf: (run: ComparedRun) => readonly number[] | undefined,
): Compared<Value> {
  const byGroup = groups.map(({ runs }) =>
    runs.map((run) => {
      const numbers = numbersOf(run);
      return numbers === undefined || numbers.length === 0 ? null : summarise(numbers);
    }),
  );
  return {
    runs: byGroup.flat(),
    groups: byGroup.map((figures) => {
      const means = figures.flatMap((one) => (one === null ? [] : [one.mean]));
      return means.length < 2 ? null : summarise(means);
    }),
  };
}

function compareTables(
  groups: readonly Grouped[],
  student: string,
  tableOf: (run: ComparedRun) => EvaluationTable | undefined,
): ComparedTable {
  const tables = groups.flatMap(({ runs }) => runs.flatMap((run) => tableOf(run) ?? []));
  const names = distinct(tables.flatMap(({ rows }) => rows.map(({ name }) => name)));
  const shares = labelShares(tables.flatMap(({ rows }) => rows));
  const accuracies = (run: ComparedRun, name: string, labels: number): readonly number[] | undefined =>
    tableOf(run)?.rows.find((row) => row.name === name && row.labels === labels)?.accuracies;
  const differences = (run: ComparedRun, against: string, labels: number): readonly number[] | undefined => {
    const [own, other] = [accuracies(run, MKDT_ROW, labels), accuracies(run, against, labels)];
    return own && other && pairwise(own, other);
  };
  const isMeasured = ({ runs }: Compared<unknown>): boolean => runs.some((one) => one !== null);
  return {
    student,
    rows: names
      .flatMap((name) =>
        shares.map((labels) => ({
          name,
          labels,
          ...compared(groups, figure, (run) => accuracies(run, name, labels)),
        })),
      )
      .filter(isMeasured),
    heldOut: distinct(tables.flatMap(({ heldOut }) => heldOut.map(({ name }) => name))).map((name) => ({
      name,
      ...compared(groups, figure, (run) => tableOf(run)?.heldOut.find((row) => row.name === name)?.errors),
    })),
    differences: SUBSETS.flatMap((against) =>
      shares.map((labels) => ({
        of: MKDT_ROW,
        against,
        labels,
        ...compared(groups, meanDifference, (run) => differences(run, against, labels)),
      })),
    ).filter(isMeasured),
  };
}

/**
 * Compares runs on the same data. Within a run, means and deviations are over its evaluation seeds; over the runs of a group
 * (equal but for the seed of the whole pipeline) they are over the runs' means. Differences are paired: rows of one seed share
 * the student's initialisation and the labelled images.
 *
 * @param runs one or more
 * @throws ConfigError when the runs' data differ, or two are of the same configuration, seed and device.
 */
export function compareRuns(runs: readonly ComparedRun[]): Comparison {
  if (runs.length === 0) throw new ConfigError('There are no runs to compare: name one or more.');
  requireSameData(runs);
  const groups = groupRuns(runs);
  const settings = differingSettings(groups);
  const students = distinct(
    groups.flatMap((group) =>
      group.runs.flatMap(({ evaluation }) =>
        evaluation.transfer.map(({ student }) => describeStudent(student)),
      ),
    ),
  );
  return {
    dataset: runs[0]!.config.data.source,
    groups: groups.map((group, place) => ({
      settings: settings[place]!,
      seeds: group.runs.map(({ config }) => config.seed),
    })),
    runs: groups.flatMap((group, place) =>
      group.runs.map(({ name, config }) => ({ name, seed: config.seed, group: place })),
    ),
    tables: [
      compareTables(groups, '', ({ evaluation }) => evaluation),
      ...students.map((student) =>
        compareTables(groups, student, ({ evaluation }) =>
          evaluation.transfer.find((other) => describeStudent(other.student) === student),
        ),
      ),
    ],
  };
}
