/** A sweep's graph for people: a table of its kinds of jobs, and a drawing in Graphviz's language. */
import { dotString } from '../../autograd/graphviz.js';
import { textTable } from '../../autograd/textTable.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { counted, longDuration } from '../report/wording.js';
import { costOf, type JobCost, type SweepEstimate, totalsOf } from './estimate.js';
import { type Job, type JobGraph, type JobKind, jobInWords, jobKinds } from './graph.js';

const UNKNOWN = '?';
/** Members that are listed; the rest is counted. */
const MOST_LISTED = 12;

const most = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
};

/** One number, or the smallest and the largest. */
function rangeText(values: readonly (number | null)[], text: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return UNKNOWN;
  const [low, high] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  return text(low) === text(high) ? text(low) : `${text(low)} … ${text(high)}`;
}

const sumOf = (values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

interface KindRow {
  readonly kind: JobKind;
  readonly jobs: readonly Job[];
  readonly done: number;
}

function kindsOf({ jobs }: JobGraph, finished: ReadonlySet<string>): KindRow[] {
  return jobKinds.flatMap((kind) => {
    const own = jobs.filter((job) => job.kind === kind);
    if (own.length === 0) return [];
    return [{ kind, jobs: own, done: own.filter(({ hash }) => finished.has(hash)).length }];
  });
}

function costCells({ kind, jobs }: KindRow, estimate: SweepEstimate): string[] {
  if (kind === 'report') return ['–', '–', '–', '–', '–'];
  const costs = jobs.flatMap((job) => costOf(estimate, job) ?? []);
  const values = (field: keyof JobCost): (number | null)[] => costs.map((cost) => cost[field]);
  const bytes = (value: number | null): string => (value === null ? UNKNOWN : formatBytes(value));
  const isKnown = costs.length === jobs.length && values('seconds').every((value) => value !== null);
  return [
    rangeText(values('seconds'), longDuration),
    isKnown ? longDuration(sumOf(values('seconds'))) : UNKNOWN,
    bytes(most(values('deviceBytes'))),
    values('hostBytes').every((value) => value === null) ? UNKNOWN : `≥ ${bytes(most(values('hostBytes')))}`,
    values('diskBytes').includes(null) ? UNKNOWN : formatBytes(sumOf(values('diskBytes'))),
  ];
}

function sharing({ jobs, members }: JobGraph): string {
  const asked = members.reduce((total, { jobs: own }) => total + own.length, 0);
  const runs = counted(members.length, 'run');
  const saved = asked - jobs.length;
  return saved === 0
    ? `${counted(jobs.length, 'job')} for ${runs}.`
    : `${counted(jobs.length, 'job')} for ${runs}, which would be ${asked} if they shared none.`;
}

function totalsText(graph: JobGraph, estimate: SweepEstimate, finished: ReadonlySet<string>): string {
  const { seconds, longestChain, diskBytes } = totalsOf(graph, estimate, finished);
  const left = finished.size > 0 ? 'What is left takes' : 'All jobs take';
  return [
    `${left} ${longDuration(seconds)} of ${estimate.device.name}, one after the other; however many work on it, no less than ${longDuration(longestChain)}, the longest chain of jobs that wait for each other. ${formatBytes(diskBytes)} of disk are written, events and reports aside.`,
    ...(estimate.standIns.length === 0
      ? []
      : [
          `The files of ${estimate.standIns.join(', ')} are not here: the estimate takes the official set's number of images.`,
        ]),
  ].join('\n');
}

/** The plan as `hypergrad plan` prints it. */
export function describeSweep(
  graph: JobGraph,
  {
    finished = new Set(),
    estimate,
  }: { readonly finished?: ReadonlySet<string>; readonly estimate?: SweepEstimate | undefined } = {},
): string {
  const kinds = kindsOf(graph, finished);
  const head = ['job', 'number', 'done'];
  const costHead = ['time of one', 'together', 'device memory', 'host memory', 'disk'];
  const table = textTable(
    [
      [...head, ...(estimate === undefined ? [] : costHead)],
      ...kinds.map((row) => [
        row.kind,
        String(row.jobs.length),
        String(row.done),
        ...(estimate === undefined ? [] : costCells(row, estimate)),
      ]),
    ],
    ['left', 'right', 'right', ...(estimate === undefined ? [] : costHead.map(() => 'right' as const))],
  );
  const listed = graph.members.slice(0, MOST_LISTED).map(({ name }) => `  ${name}`);
  const rest = graph.members.length - listed.length;
  return [
    sharing(graph),
    '',
    table,
    ...(estimate === undefined ? [] : ['', totalsText(graph, estimate, finished)]),
    '',
    'Runs:',
    ...listed,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n');
}

/** Fill of each kind of job. */
const fills: Readonly<Record<JobKind, string>> = {
  teacher: '#d9ead3',
  targets: '#d9ead3',
  expert: '#c9e4ff',
  subset: '#c9e4ff',
  distil: '#ffe3b8',
  selfSupervisedExperts: '#e3d0f5',
  selfSupervised: '#e3d0f5',
  evaluation: '#f4cccc',
  report: '#ffffff',
};

/** The graph for `dot -Tsvg`: results flow down; what several runs share says so. */
export function sweepGraphviz({ jobs, members }: JobGraph): string {
  const users = new Map<string, number>();
  for (const { jobs: own } of members) for (const hash of own) users.set(hash, (users.get(hash) ?? 0) + 1);
  const node = (job: Job): string => {
    const shared = users.get(job.hash)!;
    const who = shared > 1 ? `${shared} runs` : job.member;
    const label = dotString([jobInWords(job), job.hash.slice(0, 8), who].join('\n'));
    return `  ${dotString(job.hash)} [label=${label}, fillcolor="${fills[job.kind]}"];`;
  };
  return [
    'digraph sweep {',
    '  rankdir="TB";',
    '  node [shape="box", style="filled", fontname="sans-serif"];',
    ...jobs.map(node),
    ...jobs.flatMap(({ hash, after }) =>
      after.map((before) => `  ${dotString(before)} -> ${dotString(hash)};`),
    ),
    '}',
    '',
  ].join('\n');
}
