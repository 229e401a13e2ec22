/** What a report shows, as data for programs. */
import { bestBaselines, type RowDifference, rowDifferences } from '../evaluate/differences.js';
import { type Projection, project } from './projection.js';
import type { ReportInput, RunCurves, RunResult } from './types.js';

/** The data behind a run's report. Accuracies and their differences are shares, 0 to 1. */
export interface ReportData {
  readonly title: string;
  /** The command that repeats the run; null where the run did not keep it. */
  readonly command: string | null;
  readonly result: RunResult;
  /** What the rows of the result are means of, a number a seed. */
  readonly evaluation: ReportInput['evaluation'];
  /** MKDT minus every other row, paired by seed. */
  readonly differences: readonly RowDifference[];
  /** The difference to the best of the rows that saw no more images, at each share of the labels. */
  readonly bestBaselines: readonly RowDifference[];
  /** The losses that stages told. */
  readonly curves: RunCurves;
  /** Held-out images in the plane of the teacher's first principal components; null where there are none to draw. */
  readonly representations:
    | (Projection & {
        /** Their numbers among the run's test images. */
        readonly images: readonly number[];
        /** Their classes by number; null where the data has none. */
        readonly labels: readonly number[] | null;
        /** Names of all classes. */
        readonly classes: readonly string[];
      })
    | null;
}

async function projected(
  representations: ReportInput['representations'],
): Promise<ReportData['representations']> {
  const projection = representations && (await project(representations));
  if (representations === null || projection === null) return null;
  const { images, labels, classes } = representations;
  return { ...projection, images: [...images], labels: labels && [...labels], classes };
}

/** The data behind a page. */
export async function reportData({
  title,
  command,
  result,
  evaluation,
  curves,
  representations,
}: ReportInput): Promise<ReportData> {
  return {
    title,
    command,
    result,
    evaluation,
    differences: rowDifferences(evaluation),
    bestBaselines: bestBaselines(evaluation),
    curves,
    representations: await projected(representations),
  };
}
