/** docs/results.md, from finished runs: several seeds of the whole pipeline for each preset. */
import { type ComparedRun, type Comparison, compareRuns } from '../../src/pipeline/compare/compareRuns.js';
import { comparisonMarkdown } from '../../src/pipeline/compare/tables.js';
import type { Difference } from '../../src/pipeline/evaluate/differences.js';
import type { RunResult } from '../../src/pipeline/report/types.js';
import { duration, labelShare, percentagePoints, significant } from '../../src/pipeline/report/wording.js';
import { table } from '../docs.js';
import type { Machine } from '../machine.js';

/** A run as the page tells of it. */
export interface FinishedRun {
  readonly compared: ComparedRun;
  readonly result: RunResult;
  /** What `hypergrad run` is given to make it again. */
  readonly command: string;
}

/** One preset, and its runs by seed. */
export interface PresetRuns {
  readonly preset: string;
  readonly description: string;
  readonly runs: readonly FinishedRun[];
}

const HEAD = [
  '# Results',
  '',
  'Accuracies are those of a linear probe on test images. Every seed is a run of the whole pipeline: other images, another teacher,',
  'other experts, another synthetic set. Within a run the rows of one evaluation seed share the initialisation and the labelled',
  'images, which are drawn evenly over the classes. What was tried on the way, and what falls short, is in',
  '[choosing-presets.md](choosing-presets.md).',
  '',
];

/** Whether a mean difference is larger than its spread over the runs, in words. */
function verdict({ mean, deviationOfMean, n }: Difference): string {
  if (deviationOfMean === null) return `of one run, which says nothing about others`;
  const spread = `the deviation of the mean over ${n} runs, ${percentagePoints(deviationOfMean)}`;
  if (mean > deviationOfMean) return `more than ${spread}`;
  return mean < -deviationOfMean ? `**below**, by more than ${spread}` : `**within** ${spread}`;
}

function findings({ tables }: Comparison): string[] {
  return tables.flatMap(({ student, differences }) =>
    differences.flatMap(({ of, against, labels, groups: [over], runs: [only] }) => {
      const difference = over ?? only;
      if (difference === null || difference === undefined) return [];
      const where = student === '' ? '' : `, ${student}`;
      return `- ${of} − ${against} at ${labelShare(labels)} of the labels${where}: ${percentagePoints(difference.mean)} points, ${verdict(difference)}.`;
    }),
  );
}

function trainingTable(runs: readonly FinishedRun[]): string[] {
  const stages = [...new Set(runs.flatMap(({ result }) => Object.keys(result.seconds)))];
  const arrow = ({ first, last }: { readonly first: number; readonly last: number }): string =>
    `${significant(first)} → ${significant(last)}`;
  return table(
    ['seed', 'trajectory loss', 'inner step α', ...stages, 'all'],
    runs.map(({ compared, result }) => [
      String(compared.config.seed),
      arrow(result.trajectoryLoss),
      arrow(result.innerStep),
      ...stages.map((stage) => (stage in result.seconds ? duration(result.seconds[stage]!) : '–')),
      duration(Object.values(result.seconds).reduce((total, seconds) => total + seconds, 0)),
    ]),
  );
}

function section({ preset, description, runs }: PresetRuns): string[] {
  const comparison = compareRuns(runs.map(({ compared }) => compared));
  const devices = [...new Set(runs.map(({ compared }) => compared.device))];
  return [
    `## ${preset}`,
    '',
    description,
    '',
    '```sh',
    ...runs.map(({ command }) => command),
    '```',
    '',
    `Device: ${devices.join('; ')}.`,
    '',
    comparisonMarkdown(comparison).trimEnd(),
    '',
    'Whether MKDT is above the subsets:',
    '',
    ...findings(comparison),
    '',
    'Trajectory loss (means of the first and the last iterations), the learnt step, and how long each stage took:',
    '',
    ...trainingTable(runs),
    '',
  ];
}

/** The page's text. */
export function resultsDocument(
  presets: readonly PresetRuns[],
  { processor, date, versions }: Machine,
  { command, note }: { readonly command: string; readonly note?: string | undefined },
): string {
  return [
    ...HEAD,
    [`\`${command}\``, processor, ...(note === undefined ? [] : [note]), ...versions, date].join(' · '),
    '',
    ...presets.flatMap(section),
  ].join('\n');
}
